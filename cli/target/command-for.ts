import { commandOn } from '../../shared/domain/findings/remedy.ts'
import type { CommandOn } from '../../shared/report/text/closing.ts'
import type { LookOptions } from '../options.ts'
import type { Target } from './target.ts'

/** A command of this tool for this cluster, to be pasted. */
export const commandFor = (
  words: string,
  { place }: Pick<Target, 'place'>,
  { probe, serviceNodePortRange: range }: Pick<LookOptions, 'probe' | 'serviceNodePortRange'>,
): string =>
  commandOn(
    place,
    words,
    range ? { ...range, source: 'flag' } : probe ? { min: 0, max: 0, source: 'probe' } : undefined,
  )

/** Completes commands for this cluster; of a captured state where it says where its cluster is. */
export const onTarget = (
  target: Target,
  options: Pick<LookOptions, 'probe' | 'serviceNodePortRange'> & { state?: string },
): CommandOn | undefined =>
  (options.state === undefined ? target.kube !== undefined : isNamed(target))
    ? (words) => commandFor(words, target, options)
    : undefined

const isNamed = ({ place: { cluster } }: Target): boolean =>
  cluster.context !== undefined || cluster.region !== undefined
