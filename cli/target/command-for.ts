import { quoted } from '../../shared/domain/findings/remedy.ts'
import type { LookOptions, PlaceOptions } from '../options.ts'

/** A command of this tool for the cluster that these options lead to, to be pasted. */
export const commandFor = (
  words: string,
  options: PlaceOptions & Pick<LookOptions, 'probe' | 'serviceNodePortRange'>,
) => {
  const { kubeconfig, context, cluster, region, role, probe, serviceNodePortRange: range } = options
  const given: [string, string | undefined][] = [
    ['--kubeconfig', kubeconfig],
    ['--context', context],
    ['--cluster', cluster],
    ['--region', cluster && region],
    ['--role', role],
    ['--service-node-port-range', range && `${range.min}-${range.max}`],
  ]
  const place = given.flatMap(([option, value]) => (value === undefined ? [] : [`${option} ${quoted(value)}`]))
  return ['calico-ipvs-sync', words, ...place, ...(probe ? ['--probe'] : [])].join(' ')
}
