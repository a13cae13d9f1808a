import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isStatus } from '../../lab/admin-client.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { setTheStage, type Stage, syncTools } from '../rollout/stage.ts'
import { range } from '../verify/crash/scene.ts'
import { playInModel } from '../verify/histories/model-run.ts'
import { type Hands, nodesIn, stories, type Story, telling } from '../verify/histories/stories.ts'

/** The model of the histories is held against a real API server: the same story shows the same writes and answers there. */
const policy = policyWith({ action: 'sync' })
const path = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const apiVersion = 'crd.projectcalico.org/v1'
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const merge = 'application/merge-patch+json'

let stage: Stage
beforeAll(async () => {
  stage = await setTheStage('real', 3)
})
afterAll(() => stage.stop())

/** As no story was played. */
const cleared = async ({ cluster }: Stage): Promise<void> => {
  const { items } = (await cluster.request('GET', path)) as { items: { metadata: { name: string } }[] }
  for (const { metadata } of items) await cluster.request('DELETE', `${path}/${metadata.name}`)
  const metadata = { name: 'default' }
  await cluster.request('POST', path, { apiVersion, kind: 'FelixConfiguration', metadata, spec: {} })
  await cluster.request('DELETE', lease).catch((error: unknown) => {
    if (!isStatus(error, 404)) throw error
  })
}

const handsIn = ({ cluster, direct, clock }: Stage): Hands => ({
  merge: async (name, annotations, spec = {}) => {
    const created = {
      apiVersion,
      kind: 'FelixConfiguration',
      metadata: { name, annotations },
      spec,
    }
    await cluster
      .request('PATCH', `${path}/${name}`, { metadata: { annotations }, spec }, merge)
      .catch((error: unknown) => {
        if (!isStatus(error, 404)) throw error
        return cluster.request('POST', path, created)
      })
  },
  remove: async (name) => void (await cluster.request('DELETE', `${path}/${name}`)),
  removeLease: async () => void (await cluster.request('DELETE', lease)),
  say: async (what) => {
    const said = await control(direct, what, { by: 'person', now: clock.now })
    if (!said.changed) throw new Error(said.why)
  },
})

const playThere = async (story: Story): Promise<string[]> => {
  await cleared(stage)
  const tools = syncTools(stage, policy)
  const { kube, lines } = telling(stage.direct, { story, hands: handsIn(stage), nodes: stage.nodes })
  const ended = await sync({ ...tools, kube }, policy).then(
    ({ end }) => end as string,
    (error: unknown) => `fails: ${String(error)}`,
  )
  const { items } = (await stage.cluster.request('GET', path)) as { items: { metadata: { name: string } }[] }
  const { nodes } = stage
  return [...lines, ended, ...items.map(({ metadata }) => nodesIn(metadata.name, nodes)).toSorted()]
}

test.each(Object.entries(stories))('%s', async (_, story) => {
  expect(await playInModel(story, { policy, range })).toEqual(await playThere(story))
})
