import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { type Kind, lookAt, setTheStage, type Stage, syncTools } from './stage.ts'

/**
 * Another writer takes our override back within a moment, each time it sees one: in one process, as the command line does,
 * and through the queues.
 */
const policy = policyWith({ action: 'sync' })
const path = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const merge = 'application/merge-patch+json'
const key = 'config.projectcalico.org/KubeNodePortRanges'

const undoings: Record<string, (stage: Stage, name: string) => Promise<unknown>> = {
  deletes: ({ cluster }, name) => cluster.request('DELETE', `${path}/${name}`),
  resets: ({ cluster }, name) =>
    cluster.request('PATCH', `${path}/${name}`, { metadata: { annotations: { [key]: '30000:32767' } } }, merge),
  strips: async ({ cluster }, name) => {
    const { metadata } = (await cluster.request('GET', `${path}/${name}`)) as {
      metadata: { annotations: Record<string, string> }
    }
    const annotations = Object.fromEntries(Object.keys(metadata.annotations).map((it) => [it, null]))
    const change = { metadata: { annotations }, spec: { kubeNodePortRanges: null } }
    return cluster.request('PATCH', `${path}/${name}`, change, merge)
  },
}

describe.each([['real'], ['embedded']] satisfies [Kind][])('on the %s API server', (kind) => {
  let stage: Stage
  let tables: Tables
  /** Names of the objects that were written, each time. */
  let writes: string[]
  let runs = 0

  beforeAll(async () => {
    ;[stage, tables] = await Promise.all([setTheStage(kind, 4), startTables()])
  }, 120_000)
  afterAll(async () => {
    await tables?.stop()
    await stage?.stop()
  }, 30_000)
  afterEach(async () => {
    await stage.cluster.request('DELETE', lease)
    const { items } = (await stage.cluster.request('GET', path)) as { items: { metadata: { name: string } }[] }
    const overrides = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('node.'))
    for (const name of overrides) await stage.cluster.request('DELETE', `${path}/${name}`)
    await stage.observer.caughtUp()
  })

  const fought = (undo: (stage: Stage, name: string) => Promise<unknown>): KubeClient => {
    writes = []
    const { direct } = stage
    const undone = async <T>(name: string, dryRun: boolean | undefined, write: () => Promise<T>): Promise<T> => {
      const made = await write()
      if (dryRun) return made
      writes.push(name)
      await undo(stage, name)
      return made
    }
    return {
      ...direct,
      createFelix: (api, draft, options) =>
        undone(draft.name, options?.dryRun, () => direct.createFelix(api, draft, options)),
      patchFelix: (api, change, options) =>
        undone(change.name, options?.dryRun, () => direct.patchFelix(api, change, options)),
    }
  }

  const ways = {
    'in one process': async (kube: KubeClient) => {
      const observed = await stage.observer.begin()
      const told: string[] = []
      const tell = ({ what }: { what: string }) => void told.push(what)
      expect(await sync({ ...syncTools(stage, policy), kube, tell }, policy)).toMatchObject({ end: 'halted' })
      return { observed, halts: told.filter((what) => what === 'rollout halted').length }
    },
    'through the queues': async (kube: KubeClient) => {
      runs += 1
      const name = `fought-${kind}-${runs}`
      const { observed, published, rollout } = await runOnce(stage, tables.dynamo, { name, kube })
      expect(rollout?.state).toBe('halted')
      return { observed, halts: published.filter(({ text }) => text.includes('ROLLOUT_HALTED')).length }
    },
  }

  describe.each(Object.entries(ways))('%s', (_, way) => {
    test.each(Object.entries(undoings))(
      'somebody %s every override: one write, a halt that is told once, and Felix restarts there twice at most',
      async (_how, undo) => {
        const { observed, halts } = await way(fought(undo))
        await stage.observer.caughtUp()
        expect(writes).toEqual([expect.stringMatching(/^node\./)])
        expect(halts).toBe(1)
        expect(observed.felix.length).toBeLessThanOrEqual(2)
        expect(new Set(observed.felix.map(({ node }) => node)).size).toBeLessThanOrEqual(1)
        const record = valueOf(await stage.direct.lease())
        expect(soundRollout(record, Infinity)?.takenBack?.object).toMatch(/^FelixConfiguration\/node\./)
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
