import { commandOn } from '../../shared/domain/findings/remedy.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { CommandOn } from '../../shared/report/text/closing.ts'
import { type LookOptions, type PolicyOptions, policyOf } from '../options.ts'
import type { Target } from './target.ts'

type Given = Pick<LookOptions, 'probe' | 'serviceNodePortRange'> & PolicyOptions

/** A command of this tool for this cluster, to be pasted. It does what the command that prints it was asked for. */
export const commandFor = (words: string, { place }: Pick<Target, 'place'>, options: Given): string => {
  const { probe, serviceNodePortRange: range } = options
  const source = range
    ? { ...range, source: 'flag' as const }
    : probe
      ? { min: 0, max: 0, source: 'probe' as const }
      : undefined
  return [commandOn(place, words, source), ...(plans.test(words) ? settingWords(options) : [])].join(' ')
}

const plans = /^(?:plan|sync)\b/

const settings = {
  strategy: '--strategy',
  maxUnavailable: '--max-unavailable',
  restarts: '--restarts',
  canarySeconds: '--canary-seconds',
  settleSeconds: '--settle-seconds',
  nodeDeadlineSeconds: '--node-deadline',
} as const

/** Without these another plan would be made. */
const settingWords = (options: PolicyOptions): string[] => {
  const policy = policyOf(options)
  const names = Object.keys(settings) as (keyof typeof settings)[]
  const changed = names.filter((name) => policy[name] !== defaultPolicy[name])
  return [
    ...changed.flatMap((name) => [settings[name], quoted(String(policy[name]))]),
    ...(policy.ignoreOwner ? ['--ignore-owner'] : []),
  ]
}

/** Completes commands for this cluster; of a captured state where it says where its cluster is. */
export const onTarget = (target: Target, options: Given & { state?: string }): CommandOn | undefined =>
  (options.state === undefined ? target.kube !== undefined : isNamed(target))
    ? (words) => commandFor(words, target, options)
    : undefined

const isNamed = ({ place: { cluster } }: Target): boolean =>
  cluster.context !== undefined || cluster.region !== undefined
