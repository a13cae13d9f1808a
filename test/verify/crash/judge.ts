import { identityOf } from '../../../shared/domain/rollout/journal.ts'
import type { Published } from './outside.ts'
import type { Outcome } from './run.ts'
import { type Need, type Scene, target } from './scene.ts'

/** What a run did that it must not, by the cluster itself and by what people received. */
export interface Verdict {
  finished: boolean
  doubledRestarts: number
  orphans: number
  /** Notices that came again though it was on record that they went out. */
  duplicateNotices: number
  /** Notices that came again because their sender died before it was on record: nobody can exclude that. */
  repeatedUnheard: number
  failures: string[]
}

export interface Expected {
  need: Need
  maxUnavailable: number
  settleSeconds: number
}

export const judge = (outcome: Outcome, scene: Scene, expected: Expected): Verdict => {
  const { observed, rollout, verdict, doubt = '', holder, published } = outcome
  const failures: string[] = []
  const finished = rollout?.state === 'done' && verdict === 'in-step'
  if (!finished)
    failures.push(
      `not finished: rollout ${rollout?.state ?? 'none'} (${rollout?.reason ?? ''}), cluster ${verdict} ${doubt}`,
    )
  if (holder) failures.push(`the Lease is still held by ${holder}`)
  const wrong = scene.nodes.filter((node) => scene.observer.rangeOn(node) !== target)
  if (wrong.length > 0) failures.push(`another range counts on ${wrong.join(', ')}`)
  const orphans = scene.observer.overrides()
  if (orphans.length > 0) failures.push(`left behind: ${orphans.join(', ')}`)
  const doubled = [
    ...timesOther(observed.felix, scene.nodes, expected.need === 'restarts' ? 0 : 1, 'Felix restarted'),
    ...timesOther(observed.pods, scene.nodes, expected.need === 'range' ? 0 : 1, 'calico-node was restarted'),
  ]
  failures.push(...doubled, ...tooMany(observed.felix, expected), ...tooMany(observed.pods, expected))
  const { duplicateNotices, repeatedUnheard } = repetitions(outcome)
  if (duplicateNotices > 0) failures.push('people were told the same thing twice')
  if (published.length === 0) failures.push('nobody was told')
  failures.push(...unaccounted(outcome, scene.nodes, expected.need))
  return {
    finished,
    doubledRestarts: doubled.length,
    orphans: orphans.length,
    duplicateNotices,
    repeatedUnheard,
    failures,
  }
}

const timesOther = (seen: { node: string }[], nodes: string[], times: number, what: string): string[] =>
  nodes.flatMap((name) => {
    const found = seen.filter(({ node }) => node === name).length
    return found === times ? [] : [`${what} on ${name} ${found} times instead of ${times}`]
  })

/** Every write is on record, once, with who, why and of which plan. */
const unaccounted = ({ record, journal }: Outcome, nodes: string[], need: Need): string[] => {
  const there = new Set(record.map(identityOf))
  const lost = journal.filter((entry) => !there.has(identityOf(entry)))
  const partial = record.filter(({ by, why, rollout }) => !by || !why || !rollout)
  const times = (what: string) => record.filter((entry) => entry.what === what).length
  const expected = { override: nodes.length, promote: 1, restart: nodes.length, done: 1 }
  const without = { both: [], range: ['restart'], restarts: ['override', 'promote'] }[need]
  return [
    ...lost.map((entry) => `not on record: ${identityOf(entry)}`),
    ...partial.map((entry) => `on record without who, why or plan: ${identityOf(entry)}`),
    ...Object.entries(expected)
      .map(([what, count]) => [what, without.some((it) => it === what) ? 0 : count] as const)
      .filter(([what, count]) => times(what) !== count)
      .map(([what, count]) => `${what} is on record ${times(what)} times instead of ${count}`),
  ]
}

/** By the times at which the watch told of them; half a second for what the watch is late. */
const tooMany = (seen: { node: string; at: number }[], { maxUnavailable, settleSeconds }: Expected): string[] =>
  seen.flatMap(({ node, at }, index) => {
    const close = seen.slice(0, index).filter((it) => it.node !== node && at - it.at < settleSeconds * 1000 - 500)
    return close.length < maxUnavailable
      ? []
      : [`${node} was disturbed while ${close.map((it) => it.node).join(', ')} had not settled`]
  })

/** The same words twice running: what came back after something else was said is news. Between a notice's leaving and the note that it left, its sender cannot know. */
export const repetitions = ({
  published,
  crashing,
}: Outcome): { duplicateNotices: number; repeatedUnheard: number } => {
  const same = (a: Published, b: Published) => a.subject === b.subject && a.text === b.text
  const again = published.filter((it, index) =>
    published.slice(Math.max(0, index - 1), index).some((other) => same(it, other)),
  )
  const unknowing = /^notice|^records PutItem told/.test(crashing.struck?.what ?? '') ? 1 : 0
  const repeatedUnheard = Math.min(unknowing, again.length)
  return { duplicateNotices: again.length - repeatedUnheard, repeatedUnheard }
}
