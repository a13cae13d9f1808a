import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { KubeError } from '../../shared/errors.ts'
import { changeKey } from '../../shared/domain/rollout/annotations.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { asBefore, failFelixWith, type Kind, setTheStage, type Stage, syncTools } from './stage.ts'

/**
 * One Felix cannot take the new range, which reaches it through `default`. Well nodes keep the range by overrides of their
 * own, the ill one gets back what it had: in one process, as the command line does, and through the queues.
 */
const target = '20000:32767'
const policy = { strategy: 'direct' } as const
const inOneProcess = { ...defaultPolicy, ...policy }
const kinds: [Kind, number][] = [
  ['real', 4],
  ['embedded', 20],
]

describe.each(kinds)('a value in default that one node cannot take (%s, %i nodes)', (kind, count) => {
  let stage: Stage
  let tables: Tables

  beforeAll(async () => {
    ;[stage, tables] = await Promise.all([setTheStage(kind, count), startTables()])
  }, 120_000)
  afterEach(() => asBefore(stage))
  afterAll(async () => {
    await tables?.stop()
    await stage?.stop()
  }, 30_000)

  const ways = {
    'in one process': async () => {
      const observed = await stage.observer.begin()
      expect(await sync(syncTools(stage, inOneProcess), inOneProcess)).toMatchObject({ end: 'halted' })
      return { observed, published: [] }
    },
    // As the command line does, which tries again in a little while.
    'in one process, where the API server fails just then': async () => {
      const observed = await stage.observer.begin()
      let failures = 3
      const { direct } = stage
      const patchFelix: KubeClient['patchFelix'] = (api, change, options) => {
        const isPutBack = change.name === 'default' && change.metadata?.annotations?.[changeKey] === null
        if (!isPutBack || failures === 0) return direct.patchFelix(api, change, options)
        failures -= 1
        return Promise.reject(new KubeError('unavailable', 'service unavailable', { status: 503 }))
      }
      const tools = { ...syncTools(stage, inOneProcess), kube: { ...direct, patchFelix } }
      const patiently = (): ReturnType<typeof sync> =>
        sync(tools, inOneProcess).catch((error: unknown) => {
          if (!(error instanceof KubeError)) throw error
          return patiently()
        })
      expect(await patiently()).toMatchObject({ end: 'halted' })
      expect(failures).toBe(0)
      return { observed, published: [] }
    },
    'through the queues': () => runOnce(stage, tables.dynamo, { name: `put-back-${kind}`, policy }),
  }

  test.each(Object.entries(ways))(
    '%s: default gets its former value back, and the well nodes restart no second time',
    async (_, way) => {
      const { observer, nodes, direct } = stage
      const ill = nodes[1] ?? ''
      const felix = await failFelixWith(stage, ill, target)
      const { observed, published } = await way()
      await observer.caughtUp()
      await felix.stop()

      expect(observer.rangeOn(ill)).toBeUndefined()
      const others = nodes.filter((node) => node !== ill)
      expect(others.filter((node) => observer.rangeOn(node) !== target)).toEqual([])
      expect(observer.overrides().toSorted()).toEqual(others.map((node) => `node.${node}`).toSorted())
      const restarts = Map.groupBy(observed.felix, ({ node }) => node)
      expect(others.filter((node) => restarts.get(node)?.length !== 1)).toEqual([])
      expect(restarts.get(ill)?.map(({ range }) => range)).toEqual([target, undefined])
      const halts = published.filter(({ text }) => text.includes('ROLLOUT_HALTED'))
      expect(halts.length).toBe(published.length > 0 ? 1 : 0)
      for (const { text } of halts) expect(text).toContain(ill)
      expect(await control(direct, 'abort', { by: 'a person', now: stage.clock.now })).toMatchObject({ changed: true })
    },
    240_000,
  )
})
