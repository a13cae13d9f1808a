import type { Outcome } from './run.ts'
import { type Scene, target } from './scene.ts'
import { repetitions, type Verdict } from './judge.ts'

/**
 * What a rollout that halts because of `ill`, which took the range from `default`, must leave behind: the ill node has its
 * former range, the others keep theirs by overrides and were disturbed once, and people heard once.
 */
export const judgeHalt = (
  outcome: Outcome,
  { observer, nodes }: Scene,
  { ill, braked = false }: { ill: string; braked?: boolean },
): Verdict => {
  const { observed, rollout, holder, published, record } = outcome
  const failures: string[] = []
  const finished = rollout?.state === 'halted' && rollout.rollback === undefined
  if (!finished)
    failures.push(`not finished: rollout ${rollout?.state ?? 'none'}, still to do ${rollout?.rollback?.join(' ')}`)
  if (rollout?.evidence?.takenBackAt === undefined) failures.push('the halt does not say that default was restored')
  if (holder) failures.push(`the Lease is still held by ${holder}`)
  const others = nodes.filter((node) => node !== ill)
  if (observer.rangeOn(ill) !== undefined) failures.push(`${ill} has not its former range`)
  const wrong = others.filter((node) => observer.rangeOn(node) !== target)
  if (wrong.length > 0) failures.push(`another range counts on ${wrong.join(', ')}`)
  const restarts = (node: string) => observed.felix.filter((it) => it.node === node).length
  const doubled = [...others.map((node) => [node, 1] as const), [ill, 2] as const].filter(
    ([node, times]) => restarts(node) !== times,
  )
  for (const [node, times] of doubled)
    failures.push(`Felix restarted on ${node} ${restarts(node)} times instead of ${times}`)
  const halts = published.filter(({ subject }) => subject.includes('rollout halted'))
  const { duplicateNotices, repeatedUnheard } = repetitions(outcome)
  const putBack = halts.filter(({ text }) => text.includes('default has its former value again'))
  // Where the brake keeps the node from being helped, people hear of the halt before.
  const early = halts.filter(({ text }) => braked && text.includes('not all undone yet, for the brake is set'))
  if (early.length > 1 || putBack.length > 1 + repeatedUnheard || halts.length < 1)
    failures.push(`the halt was told ${halts.length} times`)
  if (early.length + putBack.length < halts.length) failures.push('a notice does not say whether default was put back')
  for (const what of ['promote', 'halt', 'put-back']) {
    const times = record.filter((entry) => entry.what === what).length
    if (times !== 1) failures.push(`${what} is on record ${times} times`)
  }
  return { finished, doubledRestarts: doubled.length, orphans: 0, duplicateNotices, repeatedUnheard, failures }
}
