import { quoted } from '../../shared/domain/findings/remedy.ts'
import type { LookOptions, PlaceOptions } from '../options.ts'

/** To pause, resume or abort takes no range; all else that is printed does. */
const takesRange = (words: string): boolean => !/^rollout (?:pause|resume|abort)\b|^(?:doctor|explain)\b/.test(words)

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
    ['--service-node-port-range', takesRange(words) && range ? `${range.min}-${range.max}` : undefined],
  ]
  const place = given.flatMap(([option, value]) => (value === undefined ? [] : [`${option} ${quoted(value)}`]))
  return ['calico-ipvs-sync', words, ...place, ...(probe && takesRange(words) ? ['--probe'] : [])].join(' ')
}
