import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { valueOf } from '../../shared/domain/read.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { lookAt, setTheStage, type Stage, syncTools } from './stage.ts'

/** Another writer in the same cluster takes our override back within a moment, each time it sees one. */
const policy = policyWith({ action: 'sync' })
const path = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const merge = 'application/merge-patch+json'
const key = 'config.projectcalico.org/KubeNodePortRanges'
let stage: Stage

beforeEach(async () => {
  stage = await setTheStage('embedded', 4)
}, 120_000)
afterEach(() => stage?.stop(), 30_000)

const ways: [string, (name: string) => Promise<unknown>][] = [
  ['deletes', (name) => stage.cluster.request('DELETE', `${path}/${name}`)],
  [
    'resets',
    (name) =>
      stage.cluster.request('PATCH', `${path}/${name}`, { metadata: { annotations: { [key]: '30000:32767' } } }, merge),
  ],
  [
    'strips',
    async (name) => {
      const { metadata } = (await stage.cluster.request('GET', `${path}/${name}`)) as {
        metadata: { annotations: Record<string, string> }
      }
      const annotations = Object.fromEntries(Object.keys(metadata.annotations).map((it) => [it, null]))
      const change = { metadata: { annotations }, spec: { kubeNodePortRanges: null } }
      return stage.cluster.request('PATCH', `${path}/${name}`, change, merge)
    },
  ],
]

test.each(ways)(
  'somebody %s every override: a halt, told once, and Felix restarts there twice at most',
  async (_, undo) => {
    const observed = await stage.observer.begin()
    const events: StepEvent[] = []
    const { kube, ...tools } = syncTools(stage, policy)
    const undoing: typeof kube.createFelix = async (api, draft, options) => {
      const made = await kube.createFelix(api, draft, options)
      if (!options?.dryRun) await undo(draft.name)
      return made
    }
    const given = { ...tools, kube: { ...kube, createFelix: undoing }, tell: (event: StepEvent) => events.push(event) }
    expect(await sync(given as typeof tools & { kube: typeof kube }, policy)).toMatchObject({ end: 'halted' })
    await stage.observer.caughtUp()
    const whats = events.map(({ what }) => what)
    expect(whats.filter((what) => what === 'override written')).toHaveLength(1)
    expect(whats.filter((what) => what === 'rollout halted')).toHaveLength(1)
    expect(observed.felix.length).toBeLessThanOrEqual(2)
    expect(new Set(observed.felix.map(({ node }) => node)).size).toBeLessThanOrEqual(1)
    const record = valueOf(await stage.direct.lease())
    expect(soundRollout(record, Infinity)?.takenBack?.object).toMatch(/^FelixConfiguration\/node\./)
    expect(parseJournal(record?.annotations['calico-ipvs-sync/journal']).entries.map(({ what }) => what)).toEqual([
      'begin',
      'override',
      'halt',
    ])
    const { assessment } = await lookAt(stage, policy)
    expect(assessment.report.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['FLAPPING']))
    // The next attempt of the day writes nothing.
    expect(await sync(syncTools(stage, policy), policy)).toMatchObject({ end: 'blocked' })
  },
)
