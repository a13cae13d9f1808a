import { isDeepStrictEqual } from 'node:util'
import type { Snapshot } from './snapshot.ts'
import type { Variant } from './variant.ts'
import type { Listed } from './world.ts'

/** What EKS says of a cluster: out of step with what Felix takes by itself, or in step. */
export const desired = ({ setting }: Pick<Variant, 'setting'>): { min: number; max: number } => ({
  min: setting === 'in-step' ? 30_000 : 20_000,
  max: 32_767,
})

export interface VariantOutcome {
  /** Once the forgery was in, and when all was quiet. */
  before: Snapshot
  after: Snapshot
  /** Overrides that the deployment itself had made before the forgery came. */
  made: string[]
  /** Notices, in order. */
  notices: string[]
  /** Ids of messages to look: those that came, and those that ended without a verdict. */
  looks: number
  unseen: string[]
  verdicts: number
  deadLetters: string[]
}

export interface Judgement {
  harms: string[]
  withoutVerdict: string[]
  toldTwice: string[]
  /** calico-node pods that went: right or not, they come back by themselves. */
  restarts: number
  /** The deployment put a range right all the same. */
  wrote: boolean
}

export const judge = (variant: Variant, seen: VariantOutcome): Judgement => ({
  harms: [...podsGone(seen), ...configurations(variant, seen), ...others(variant, seen)],
  withoutVerdict: [
    ...(seen.verdicts === 0 ? [`${seen.looks} looks, and no verdict`] : []),
    ...seen.unseen.map((id) => `the look ${id} ended without a verdict`),
    ...seen.deadLetters.map((body) => `dead letter: ${body.slice(0, 200)}`),
  ],
  toldTwice: seen.notices.filter((it, nth) => nth > 0 && it === seen.notices[nth - 1]),
  restarts: gone(seen).filter((it) => isCalicoNode(it)).length,
  wrote: wrote(variant, seen),
})

const wrote = (variant: Variant, { before, after }: VariantOutcome): boolean => {
  const { min, max } = desired(variant)
  const has = ({ felix }: Snapshot) =>
    felix.some((it) => it.metadata.name === 'default' && rangeIn(it) === `${min}:${max}`)
  return has(after) && !has(before)
}

const gone = ({ before, after }: VariantOutcome): Listed[] => {
  const left = new Set(after.pods.map(({ metadata }) => metadata.uid))
  return before.pods.filter(({ metadata }) => !left.has(metadata.uid))
}

const isCalicoNode = ({ metadata }: Listed): boolean =>
  metadata.ownerReferences?.some((it) => it.controller && it.kind === 'DaemonSet' && it.name === 'calico-node') === true

const podsGone = (seen: VariantOutcome): string[] =>
  gone(seen)
    .filter((it) => !isCalicoNode(it))
    .map(({ metadata }) => `pod ${metadata.namespace}/${metadata.name} was deleted`)

/** Objects that were there and are not ours: none goes, none changes but in its range, and that only where one is needed. */
const configurations = (variant: Variant, { before, after, made }: VariantOutcome): string[] =>
  before.felix
    .filter(({ metadata }) => !made.includes(metadata.name))
    .flatMap((was) => {
      const is = after.felix.find(({ metadata }) => metadata.uid === was.metadata.uid)
      const { name } = was.metadata
      if (!is) return [`FelixConfiguration ${name} was deleted`]
      if (isDeepStrictEqual(plain(was), plain(is))) return []
      const mayWrite =
        variant.action === 'sync' && (variant.setting !== 'in-step' || variant.forgeries.some((it) => it.needsRange))
      if (!mayWrite || !(name === 'default' || name.startsWith('node.')))
        return [`FelixConfiguration ${name} was changed`]
      if (!isDeepStrictEqual(withoutRange(was), withoutRange(is)))
        return [`settings of FelixConfiguration ${name} were changed`]
      const { min, max } = desired(variant)
      return [rangeIn(was), `${min}:${max}`, undefined].includes(rangeIn(is))
        ? []
        : [`FelixConfiguration ${name} was given ${rangeIn(is)}`]
    })

const plain = ({ metadata: { annotations = {}, labels = {} }, spec = {} }: Listed) => ({ annotations, labels, spec })

const rangeKey = 'config.projectcalico.org/kubenodeportranges'
const isOurs = (key: string): boolean =>
  key.toLowerCase() === rangeKey || key.startsWith('calico-ipvs-sync/') || key === 'projectcalico.org/metadata'

const withoutRange = (object: Listed) => {
  const { annotations, labels, spec } = plain(object)
  const { kubeNodePortRanges: _range, ...rest } = spec
  return { annotations: Object.entries(annotations).filter(([key]) => !isOurs(key)), labels, spec: rest }
}

const rangeIn = ({ metadata: { annotations = {} } }: Listed): string | undefined =>
  Object.entries(annotations).find(([key]) => key.toLowerCase() === rangeKey)?.[1]

/** And nothing at all is written where the deployment may only report. */
const others = ({ action }: Variant, { before, after }: VariantOutcome): string[] => {
  const changed = isDeepStrictEqual(before.others, after.others)
    ? []
    : ['a ConfigMap, DaemonSet, Service or Node was changed']
  if (action === 'sync') return changed
  const names = before.felix.map(({ metadata }) => metadata.name)
  const made = after.felix.filter(({ metadata }) => !names.includes(metadata.name))
  return [
    ...changed,
    ...made.map(({ metadata }) => `FelixConfiguration ${metadata.name} was made, though it may only report`),
    ...(before.lease === after.lease ? [] : ['the Lease was written, though it may only report']),
  ]
}
