import type { ClusterState, RolloutRecord } from '../cluster.ts'
import { isPort, parsePortList, rangeTextAtMost } from '../ports.ts'
import { valueOf } from '../read.ts'
import { milliseconds } from '../rfc3339.ts'
import type { Pace, Rollout, Reverted, Where } from './rollout.ts'
import { clockSkew, ours } from './annotations.ts'
import { parseEvidence } from './halt-evidence.ts'
import { parseJournal } from './journal.ts'
import { knowns } from './marks.ts'
import { isWord } from './memory.ts'
import { present } from './present.ts'

/** The content of our Lease. It may be forged: inconsistent content is `invalid`. */
export type Parsed = { is: 'none' } | { is: 'rollout'; rollout: Rollout } | { is: 'invalid'; why: string }

/**
 * A Lease has at most 256 KiB of annotations; the largest clusters have 5,000 nodes; a month is longer than any wait.
 */
const most = { characters: 400_000, names: 6_000, name: 253, fields: 100, text: 2_000, seconds: 2_592_000, held: 3_600 }

/** `now` in milliseconds. Never throws. */
export const parseRollout = (record: RolloutRecord | undefined, now: number): Parsed => {
  const annotations = record?.annotations ?? {}
  const at = (key: string) => (Object.hasOwn(annotations, ours + key) ? annotations[ours + key] : undefined)
  const id = at('rollout')
  const odd = record && implausibleHold(record, now)
  if (odd !== undefined) return { is: 'invalid', why: odd }
  if (!record || id === undefined) return { is: 'none' }
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (size > most.characters) return { is: 'invalid', why: "its annotations are far longer than this tool's" }
  return assembled(id, at, now)
}

/** The rollout if the Lease has a valid one; otherwise undefined. */
export const rolloutOf = (parsed: Parsed): Rollout | undefined => (parsed.is === 'rollout' ? parsed.rollout : undefined)

export const soundRollout = (record: RolloutRecord | undefined, now: number): Rollout | undefined =>
  rolloutOf(parseRollout(record, now))

/** As the Lease was when the cluster was observed; undefined also if it could not be read. */
export const rolloutIn = ({ rollout, observedAt }: Pick<ClusterState, 'rollout' | 'observedAt'>): Rollout | undefined =>
  soundRollout(valueOf(rollout), Date.parse(observedAt))

/**
 * Why the Lease's holder is invalid: a renewal time in the future, or a duration that this tool does not use. Also without a
 * rollout: none begins while somebody holds the Lease.
 */
const implausibleHold = ({ holder, renewedAt, leaseSeconds }: RolloutRecord, now: number): string | undefined => {
  if (!holder) return undefined
  if (milliseconds(renewedAt ?? '') > now + clockSkew) return `spec.renewTime is in the future (${renewedAt})`
  const isSane = leaseSeconds === undefined || (leaseSeconds > 0 && leaseSeconds <= most.held)
  return isSane ? undefined : `spec.leaseDurationSeconds is ${leaseSeconds}`
}

type At = (key: string) => string | undefined

const assembled = (id: string, at: At, now: number): Parsed => {
  const faults: string[] = []
  /** The value if it is valid; a fault if it is present and invalid. */
  const given = <T>(key: string, parse: (text: string) => T | undefined): T | undefined => {
    const text = at(key)
    const value = text === undefined ? undefined : parse(text)
    if (text !== undefined && value === undefined) faults.push(key)
    return value
  }
  const needed = <T>(key: string, parse: (text: string) => T | undefined, instead: T): T => {
    if (at(key) === undefined) faults.push(key)
    return given(key, parse) ?? instead
  }
  const time = (text: string) => (milliseconds(text) <= now + clockSkew ? text : undefined)
  const rollout: Rollout = {
    id,
    state: needed('state', oneOf(states), 'halted'),
    phase: needed('phase', oneOf(phases), 'range'),
    pace: needed('pace', paceOf, nowhere.pace),
    where: needed('where', whereOf, nowhere.where),
    skip: given('skip', names) ?? [],
    defaulted: given('defaulted', fields) ?? [],
    restart: given('restart', names) ?? [],
    touching: given('touching', (text) => all(words(text), (word) => touchOf(word, time))) ?? [],
    startedAt: needed('started-at', time, ''),
    ...present({
      target: given('target', (text) => (text.length <= rangeTextAtMost && parsePortList(text).ok ? text : undefined)),
      canary: given('canary', name),
      last: given('last', names),
      finishedAt: given('finished-at', time),
      why: at('why')?.slice(0, most.text),
      reason: at('reason')?.slice(0, most.text),
      rollback: given('rollback', names),
      evidence: parseEvidence(at('evidence')),
      zones: given('zones', zonesOf),
      written: given('written', (text) => all(words(text), (it) => (isWord(it) ? it : undefined), 3 * most.names)),
      apart: given('apart', names),
      careful: given('careful', (text) => (text === 'true' ? (true as const) : undefined)),
      unwell: given('unwell', (text) => all(words(text), (word) => unwellOf(word, time))),
      reverted: given('taken-back', (text) => revertedOf(text, time)),
      journal: at('journal') === undefined ? undefined : parseJournal(at('journal')),
    }),
  }
  if (!/^[\w.:-]{1,64}$/.test(id)) faults.push('rollout')
  return faults.length === 0
    ? { is: 'rollout', rollout }
    : {
        is: 'invalid',
        why: `it has invalid values in ${[...new Set(faults)].map((key) => ours + key).join(', ')}`,
      }
}

const states = ['running', 'paused', 'halted', 'done', 'aborting', 'aborted'] as const
const phases = ['range', 'restarts'] as const
const apis = ['projectcalico.org/v3', 'crd.projectcalico.org/v1'] as const
const strategies = ['staged', 'canary', 'direct'] as const

const nowhere: { pace: Pace; where: Where } = {
  pace: { strategy: 'staged', maxUnavailable: 1, canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 1 },
  where: { api: 'crd.projectcalico.org/v1' },
}

const oneOf =
  <T extends string>(values: readonly T[]) =>
  (text: unknown): T | undefined =>
    values.find((value) => value === text)

const words = (text: string): string[] => text.split(' ').filter(Boolean)
const name = (text: string): string | undefined => (/^\S+$/.test(text) && text.length <= most.name ? text : undefined)

/** Undefined if one of them is invalid, or there are too many. */
const all = <T>(texts: unknown[], parse: (text: string) => T | undefined, atMost = most.names): T[] | undefined => {
  const parsed = texts.slice(0, atMost + 1).flatMap((it) => (typeof it === 'string' ? (parse(it) ?? []) : []))
  return parsed.length === texts.length && parsed.length <= atMost ? parsed : undefined
}

const names = (text: string) => all(words(text), name)
const fields = (text: string) => all(words(text), (it) => (/^\w{1,64}$/.test(it) ? it : undefined), most.fields)

const touchOf = (text: string, time: (text: string) => string | undefined): Rollout['touching'][number] | undefined => {
  const [node, pod, at = '', more] = text.split('=')
  return node && pod && name(node) && name(pod) && time(at) && more === undefined ? { node, pod, at } : undefined
}

const unwellOf = (text: string, time: (text: string) => string | undefined) => {
  const [node, since = '', more] = text.split('=')
  return node && name(node) && time(since) && more === undefined ? { node, since } : undefined
}

const json = (text: string): Record<string, unknown> | undefined => {
  try {
    const it = JSON.parse(text) as unknown
    return typeof it === 'object' && it !== null && !Array.isArray(it) ? (it as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const seconds = (it: unknown, least = 0): number | undefined =>
  typeof it === 'number' && it >= least && it <= most.seconds ? it : undefined

const paceOf = (text: string): Pace | undefined => {
  const it = json(text) ?? {}
  const strategy = oneOf(strategies)(it['strategy'])
  const maxUnavailable = nodesOf(it['maxUnavailable'])
  const [canarySeconds, settleSeconds] = [seconds(it['canarySeconds']), seconds(it['settleSeconds'])]
  const nodeDeadlineSeconds = seconds(it['nodeDeadlineSeconds'], 1)
  if (strategy === undefined || maxUnavailable === undefined) return undefined
  if (canarySeconds === undefined || settleSeconds === undefined || nodeDeadlineSeconds === undefined) return undefined
  return { strategy, maxUnavailable, canarySeconds, settleSeconds, nodeDeadlineSeconds }
}

const nodesOf = (it: unknown): Pace['maxUnavailable'] | undefined => {
  if (typeof it === 'number') return Number.isInteger(it) && it >= 1 ? it : undefined
  return typeof it === 'string' && /^\d{1,3}%$/.test(it) ? (it as `${number}%`) : undefined
}

const whereOf = (text: string): Where | undefined => {
  const { api: through, calico, spec, known, given } = json(text) ?? {}
  const api = oneOf(apis)(through)
  if (api === undefined) return undefined
  const how = oneOf(knowns)(known)
  const range = how === 'flag' ? rangeOf(given) : undefined
  return {
    api,
    ...(typeof calico === 'string' && calico.length <= 64 && { calico }),
    ...(typeof spec === 'boolean' && { spec }),
    ...(how !== undefined && { known: how }),
    ...(range && { given: range }),
  }
}

/** Whole numbers alone, because they are printed in a command. */
const rangeOf = (it: unknown): Where['given'] => {
  const { min, max } = (it ?? {}) as Record<string, unknown>
  return isPort(min) && isPort(max) && min <= max ? { min, max } : undefined
}

const revertedOf = (text: string, time: (text: string) => string | undefined): Reverted | undefined => {
  const { object, at, by } = json(text) ?? {}
  if (typeof object !== 'string' || object.length > 300 || typeof at !== 'string' || !time(at)) return undefined
  return { object, at, ...(typeof by === 'string' && { by: by.slice(0, 100) }) }
}

const zonesOf = (text: string): Rollout['zones'] => {
  const zones = Object.entries(json(text) ?? {}).map(
    ([zone, nodes]) => [zone, Array.isArray(nodes) ? all(nodes, name) : undefined] as const,
  )
  const sound = zones.filter((entry): entry is [string, string[]] => entry[1] !== undefined)
  return zones.length > 0 && sound.length === zones.length ? Object.fromEntries(sound) : undefined
}
