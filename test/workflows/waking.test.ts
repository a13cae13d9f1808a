import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { emptyBudget } from '../../shared/domain/policy/fleet-budget.ts'
import { clusterKey } from '../../shared/messages.ts'
import { giveBack } from '../../shared/workflows/fleet/next.ts'
import type { EvaluateTools } from '../../shared/workflows/fleet/tools.ts'
import { permitsIn } from './permits.ts'

/** What SQS does with a message, and says. */
type Fate = 'taken' | 'lost, and said so' | 'taken, and said to be lost' | 'delivered, and said to be lost'

const refOf = (name: string) => ({ account: '111122223333', region: 'eu-west-1', name })
const nameOf = (key: string): string => key.split('/')[2] ?? ''
const clusters = ['a', 'b', 'c', 'd', 'e', 'f']

/** All clusters ask at once; each that has a permit is changed, and then gives it back. */
const changed = async (limit: number, fates: Fate[]) => {
  const fleet = { budget: emptyBudget, limit }
  const permits = permitsIn(fleet, () => 0)
  const tokens = new Map<string, number>()
  const inbox: string[] = []
  const order: string[] = []
  let most = 0
  /** One evaluation. What was changed already leads to nothing. */
  const evaluated = async (name: string): Promise<void> => {
    if (order.includes(name) && !tokens.has(name)) return leaving(name)
    const permit = await permits.take(clusterKey(refOf(name)))
    if (!permit) return
    expect(tokens.get(name) ?? permit.token).toBe(permit.token)
    if (!order.includes(name)) order.push(name)
    tokens.set(name, permit.token)
    most = Math.max(most, tokens.size)
    expect(fleet.budget.holders.map(({ cluster }) => nameOf(cluster)).toSorted()).toEqual([...tokens.keys()].toSorted())
  }
  const sendEvaluation: EvaluateTools['queues']['sendEvaluation'] = async ({ cluster: { name } }) => {
    const fate = fates.shift() ?? 'taken'
    if (fate === 'delivered, and said to be lost') await evaluated(name)
    else if (fate !== 'lost, and said so') inbox.push(name)
    if (fate !== 'taken') throw new Error('SQS is away')
  }
  const tools = { permits, queues: { sendEvaluation } as EvaluateTools['queues'] }
  /** The queue delivers a message again whose evaluation failed. */
  const leaving = async (name: string): Promise<void> => {
    for (let isDone = false; !isDone; )
      isDone = await giveBack(tools, refOf(name)).then(
        () => true,
        () => false,
      )
  }
  for (const name of clusters) await evaluated(name)
  while (tokens.size > 0 || inbox.length > 0) {
    const [next] = inbox.splice(0, 1)
    if (next !== undefined) {
      await evaluated(next)
      continue
    }
    const [name = ''] = tokens.keys()
    tokens.delete(name)
    await leaving(name)
  }
  return { order, most, left: fleet.budget }
}

const fate = fc.constantFrom<Fate>(
  'taken',
  'lost, and said so',
  'taken, and said to be lost',
  'delivered, and said to be lost',
)

test('whatever SQS does with the messages that wake clusters, each has its turn, and never two have one permit', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(fate, { maxLength: 12 }), async (limit, fates) => {
      const { order, most, left } = await changed(limit, fates)
      expect(order.toSorted()).toEqual(clusters)
      expect(most).toBeLessThanOrEqual(limit)
      expect([left.holders, left.waiting]).toEqual([[], []])
    }),
  ))

test('who could not be woken is the next, before those who waited behind', async () => {
  expect((await changed(1, ['lost, and said so'])).order).toEqual(clusters)
})
