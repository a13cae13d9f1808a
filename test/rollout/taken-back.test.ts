import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { isStatus } from '../../lab/admin-client.ts'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import { type Watch, watch } from '../../lab/watch.ts'
import { changedAtKey } from '../../shared/domain/rollout/annotations.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { type Kind, lookAt, setTheStage, type Stage, syncTools } from './stage.ts'

/**
 * Another writer, with a client of its own, goes through the FelixConfigurations every second and takes our overrides back: in
 * one process, as the command line does, and through the queues. What was written is counted by a watch.
 */
const policy = policyWith({ action: 'sync' })
const path = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const merge = 'application/merge-patch+json'
const key = 'config.projectcalico.org/KubeNodePortRanges'

interface Override {
  metadata: { name: string; annotations?: Record<string, string> }
}

const undoings: Record<string, (stage: Stage, it: Override) => Promise<unknown>> = {
  deletes: ({ cluster }, { metadata }) => cluster.request('DELETE', `${path}/${metadata.name}`),
  resets: async ({ cluster }, { metadata: { name, annotations = {} } }) =>
    annotations[key] === '30000:32767'
      ? undefined
      : cluster.request('PATCH', `${path}/${name}`, { metadata: { annotations: { [key]: '30000:32767' } } }, merge),
  strips: async ({ cluster }, { metadata: { name, annotations = {} } }) => {
    const names = Object.keys(annotations)
    if (names.length === 0) return
    const change = {
      metadata: { annotations: Object.fromEntries(names.map((it) => [it, null])) },
      spec: { kubeNodePortRanges: null },
    }
    return cluster.request('PATCH', `${path}/${name}`, change, merge)
  },
}

/** Once for each second of the test's clock that has passed; what it meets in the middle of our write, it meets. */
const everySecond = (stage: Stage, undo: (stage: Stage, it: Override) => Promise<unknown>) => {
  const { cluster, clock } = stage
  let next = clock.now().getTime() + 1_000
  const ended = new AbortController()
  const round = async (): Promise<void> => {
    const { items } = (await cluster.request('GET', path)) as { items: Override[] }
    for (const it of items) if (it.metadata.name.startsWith('node.')) await undo(stage, it)
  }
  const going = (async () => {
    for (; !ended.signal.aborted; await sleep(5))
      if (clock.now().getTime() >= next) {
        await round().catch((error: unknown) => {
          if (!isStatus(error, 404) && !isStatus(error, 409)) throw error
        })
        next = clock.now().getTime() + 1_000
      }
  })()
  return {
    /** Until it has been there since the clock's last leap. */
    caughtUp: async () => {
      while (clock.now().getTime() >= next) await sleep(5)
    },
    stop: async () => {
      ended.abort()
      await going
    },
  }
}

type Writer = ReturnType<typeof everySecond>

describe.each([['real'], ['embedded']] satisfies [Kind][])('on the %s API server', (kind) => {
  let stage: Stage
  let tables: Tables
  /** Names of the objects in which a watch saw a write of ours. */
  let writes: string[]
  let watching: Watch
  let writer: Writer
  let runs = 0

  beforeAll(async () => {
    ;[stage, tables] = await Promise.all([setTheStage(kind, 4), startTables()])
    watching = await watch(stage.cluster, { path }, ({ type, object }, before) => {
      const [at, known] = [object, before].map((it) => it?.metadata.annotations?.[changedAtKey])
      if (type !== 'DELETED' && at !== undefined && at !== known) writes.push(object.metadata.name)
    })
  }, 120_000)
  beforeEach(() => {
    writes = []
  })
  afterAll(async () => {
    watching?.stop()
    await tables?.stop()
    await stage?.stop()
  }, 30_000)
  afterEach(async () => {
    await writer.stop()
    await stage.cluster.request('DELETE', lease)
    const { items } = (await stage.cluster.request('GET', path)) as { items: { metadata: { name: string } }[] }
    const overrides = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('node.'))
    for (const name of overrides) await stage.cluster.request('DELETE', `${path}/${name}`)
    await stage.observer.caughtUp()
  })

  const ways = {
    'in one process': async (writer: Writer) => {
      const observed = await stage.observer.begin()
      const told: string[] = []
      const tell = ({ what }: { what: string }) => void told.push(what)
      const sleepOn = async (seconds: number) => {
        for (let left = seconds; left > 0; left -= 1) {
          stage.clock.skip(Math.min(left, 1) * 1_000)
          await writer.caughtUp()
        }
      }
      expect(await sync({ ...syncTools(stage, policy), tell, sleep: sleepOn }, policy)).toMatchObject({ end: 'halted' })
      return { observed, halts: told.filter((what) => what === 'rollout halted').length }
    },
    'through the queues': async (writer: Writer) => {
      runs += 1
      const name = `fought-${kind}-${runs}`
      const between = () => writer.caughtUp()
      const { observed, published, rollout } = await runOnce(stage, tables.dynamo, { name, between })
      expect(rollout?.state).toBe('halted')
      return { observed, halts: published.filter(({ text }) => text.includes('ROLLOUT_HALTED')).length }
    },
  }

  describe.each(Object.entries(ways))('%s', (_, way) => {
    test.each(Object.entries(undoings))(
      'somebody %s every override: one write, a halt that is told once, and Felix restarts there twice at most',
      async (_how, undo) => {
        writer = everySecond(stage, undo)
        const { observed, halts } = await way(writer)
        await Promise.all([stage.observer.caughtUp(), watching.caughtUp()])
        expect(writes).toEqual([expect.stringMatching(/^node\./)])
        expect(halts).toBe(1)
        expect(observed.felix.length).toBeLessThanOrEqual(2)
        expect(new Set(observed.felix.map(({ node }) => node)).size).toBeLessThanOrEqual(1)
        const record = valueOf(await stage.direct.lease())
        expect(soundRollout(record, Infinity)?.reverted?.object).toMatch(/^FelixConfiguration\/node\./)
        const { entries } = parseJournal(record?.annotations['calico-ipvs-sync/journal'])
        expect(entries.map(({ what }) => what)).toEqual(['begin', 'override', 'halt'])
        const { assessment } = await lookAt(stage, policy)
        expect(assessment.report.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['FLAPPING']))
        // The next attempt of the day writes nothing.
        expect(await sync(syncTools(stage, policy), policy)).toMatchObject({ end: 'blocked' })
      },
      120_000,
    )
  })
})
