import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { groups } from '../../shared/domain/grant/groups.ts'
import { type CalicoApi, serveCalicoApi } from '../../lab/control-plane/calico-api.ts'
import type { ControlPlane } from '../../lab/control-plane/start.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import type { ServiceRange } from '../../shared/domain/report.ts'
import { overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { clientOf, felixPath, items, mergePatch, nodeNames, removed, withFieldsOf332 } from '../truth/world.ts'
import { until } from '../until.ts'
import { copyKey, type Forgery, forgeries, plantTargets, powers, answerTo } from './guard-forgeries.ts'

/** The admission policies as shipped, on a real API server: they let a whole rollout pass and none of the forgeries. */

const workdir = mkdtempSync(join(tmpdir(), 'guard-'))
const users: Record<string, string> = { operator: groups.operators, csi: 'csi', person: 'people', gc: 'gc' }
const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
let cluster: ControlPlane
let operator: KubeClient
const [first] = nodeNames

beforeAll(async () => {
  const authenticate = async (token: string) => {
    const group = users[token]
    return group === undefined ? undefined : { username: token, groups: [group] }
  }
  cluster = await useControlPlane({ name: 'guard', workdir, authenticate })
  operator = clientOf(cluster, 'operator')
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  await withFieldsOf332(cluster)
  await applyManifests(cluster)
  await powers(cluster)
  await plantTargets(cluster)
}, 240_000)
afterAll(async () => {
  operator?.close()
  await cluster?.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

interface Policy {
  spec: { validations: { expression: string }[] }
}

const refusedBy = async ({ by, method, path, body }: Forgery, dry = true): Promise<string | undefined> => {
  const headers = {
    authorization: `Bearer ${by}`,
    'content-type': method === 'PATCH' ? mergePatch : 'application/json',
  }
  return answerTo(cluster, { method, path: dry ? `${path}?dryRun=All` : path, headers, body })
}

/** Everything that a forgery could have changed. The API server renews a Lease of its own every ten seconds. */
const everything = async (): Promise<unknown> => {
  const paths = [felixPath, '/api/v1/pods', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases']
  const lists = await Promise.all(paths.map((path) => items(cluster, path)))
  return lists.map((list) => list.filter(({ metadata }) => !metadata.name.startsWith('apiserver-')))
}

describe('each forgery', () => {
  test.each(forgeries.map((it) => [it.what, it] as const))('%s', async (_, it) => {
    await until('the policies to hold', async () => (await refusedBy(it)) !== undefined)
    const before = await everything()
    expect(await refusedBy(it, false)).toContain(`ValidatingAdmissionPolicy 'calico-ipvs-sync-${it.policy}'`)
    expect(await everything()).toEqual(before)
  })
})

test('each rule taken away by itself lets its forgery through, so that none is there for nothing', async () => {
  const byRule = Map.groupBy(forgeries, ({ policy, rule }) => `${policy} ${rule}`)
  const shipped: string[] = []
  for (const { metadata, spec } of (await items(cluster, policies)) as unknown as (Policy & {
    metadata: { name: string }
  })[])
    shipped.push(...spec.validations.map((_, rule) => `${metadata.name.replace('calico-ipvs-sync-', '')} ${rule}`))
  expect([...byRule.keys()].toSorted()).toEqual(shipped.toSorted())
  for (const [of, them] of byRule) {
    const [policy, rule] = of.split(' ') as [string, string]
    const path = `${policies}/calico-ipvs-sync-${policy}`
    const { spec } = (await cluster.request('GET', path)) as Policy
    const validations = spec.validations.map((it, index) => (index === Number(rule) ? { expression: 'true' } : it))
    await cluster.request('PATCH', path, { spec: { validations } }, mergePatch)
    const [first] = them as [Forgery]
    await until(`${of}: ${first.what}`, async () => (await refusedBy(first)) === undefined)
    expect(await Promise.all(them.map((it) => refusedBy(it)))).toEqual(them.map(() => undefined))
    await cluster.request('PATCH', path, { spec: { validations: spec.validations } }, mergePatch)
    await until(`${of} to hold again`, async () => (await refusedBy(first)) !== undefined)
  }
}, 240_000)

describe('what is not a forgery passes', () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
  const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } })
  const asked = (by: string, method: string, path: string, body?: object) =>
    refusedBy({ what: '', policy: '', rule: 0, by, method, path, ...(body && { body }) })

  test('a controller keeps Leases of its own; who may patch FelixConfigurations writes ours; the garbage collector deletes it', async () => {
    expect(await asked('csi', 'POST', leases, lease('csi-leader'))).toBeUndefined()
    expect(await asked('csi', 'POST', leases, { ...lease(''), metadata: { generateName: 'csi-' } })).toBeUndefined()
    expect(
      await asked('person', 'PATCH', `${leases}/calico-ipvs-sync`, { spec: { holderIdentity: 'me' } }),
    ).toBeUndefined()
    expect(await asked('gc', 'DELETE', `${leases}/calico-ipvs-sync`)).toBeUndefined()
  })

  test('people who are not our operators may change any FelixConfiguration', async () => {
    expect(
      await asked('person', 'PATCH', `${felixPath}/default`, { spec: { logSeverityScreen: 'Debug' } }),
    ).toBeUndefined()
  })
})

const policy = policyWith({ canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 30 })
const rollOut = async (min: number, during: (what: string) => void = () => undefined): Promise<string> => {
  const givenServiceRange: ServiceRange = { min, max: 32_767, source: 'flag' }
  const look = async () => {
    const state = await observe({ kube: operator, identity: { name: 'guard' }, now: new Date(), givenServiceRange })
    return { state, assessment: assess(state, policy) }
  }
  const tools = {
    kube: operator,
    holder: 'test',
    leaseSeconds: 60,
    now: () => new Date(),
    tell: ({ what }: { what: string }) => during(what),
    look,
    sleep: () => sleep(200),
    waiting: () => undefined,
    interrupted: () => false,
  }
  const { end, why } = await sync(tools, policy)
  return end === 'done' ? end : `${end}: ${why}`
}

describe('an honest rollout ends, under the shipped RBAC and the guard', () => {
  const valueOn = async (name: string) =>
    (await items(cluster, felixPath)).find(({ metadata }) => metadata.name === name)?.metadata.annotations

  beforeAll(async () => {
    await removed(cluster, '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync')
    for (const { metadata } of await items(cluster, felixPath)) await removed(cluster, `${felixPath}/${metadata.name}`)
  }, 60_000)

  const create = (name: string, spec: object, annotations: Record<string, string> = {}) =>
    cluster.request('POST', felixPath, {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'FelixConfiguration',
      metadata: { name, annotations },
      spec,
    })

  test('where there is no default', async () => {
    expect(await rollOut(20_000)).toBe('done')
    expect((await items(cluster, felixPath)).map(({ metadata }) => metadata.name)).toEqual(['default'])
    expect(await valueOn('default')).toMatchObject({ [rangeAnnotation]: '20000:32767' })
  }, 60_000)

  test('where Calico keeps a copy of the metadata, a node has an object of its own, and the server fills fields in', async () => {
    await removed(cluster, `${felixPath}/default`)
    const annotations = {
      'config.projectcalico.org/kubenodeportranges': '1000:2000',
      'config.projectcalico.org/NftablesMode': 'Disabled',
      note: 'a & b',
    }
    // As Go writes it.
    const metadata = JSON.stringify({ name: 'default', annotations }).replaceAll('&', '\\u0026')
    await create(
      'default',
      { nftablesMode: 'Disabled', logSeverityScreen: 'Debug' },
      { ...annotations, [copyKey]: metadata },
    )
    await create(`node.${first}`, { logSeverityScreen: 'Debug' }, { note: 'mine' })
    expect(await rollOut(21_000)).toBe('done')
    const left = await valueOn('default')
    expect(left).toMatchObject({ [rangeAnnotation]: '21000:32767', note: 'a & b' })
    expect(JSON.parse(left?.[copyKey] ?? '')).toMatchObject({ annotations: { [rangeAnnotation]: '21000:32767' } })
    expect(await valueOn(`node.${first}`)).toEqual({ note: 'mine' })
  }, 60_000)

  test('when it is aborted after the first override, which is taken back', async () => {
    let aborted: Promise<unknown> | undefined
    const abort = (what: string) => {
      if (what === 'override written') aborted ??= control(clientOf(cluster, 'person'), 'abort')
    }
    const end = await rollOut(22_000, abort)
    await aborted
    expect(end).toMatch(/aborted|no override of ours is left/)
    expect(await valueOn('default')).toMatchObject({ [rangeAnnotation]: '21000:32767' })
    const marked = (await items(cluster, felixPath)).filter(({ metadata }) => metadata.annotations?.[overrideKey])
    expect(marked).toEqual([])
  }, 60_000)

  test('with a calico-node pod deleted by its UID', async () => {
    const [pod] = (await items(
      cluster,
      '/api/v1/namespaces/calico-system/pods?labelSelector=k8s-app%3Dcalico-node',
    )) as unknown as {
      metadata: { namespace: string; name: string; uid: string }
    }[]
    expect(await operator.deletePod(pod?.metadata as never)).toBe(true)
  })
})

describe('through Calico’s own API server of 3.28, which judges no policies', () => {
  let api: CalicoApi
  const v3 = '/apis/projectcalico.org/v3/felixconfigurations'
  const patch = (body: object): Forgery => ({
    what: '',
    policy: '',
    rule: 0,
    by: 'operator',
    method: 'PATCH',
    path: `${v3}/default`,
    body,
  })
  beforeAll(async () => {
    api = await serveCalicoApi(cluster)
  }, 60_000)
  afterAll(async () => api?.stop())

  test('an honest rollout ends, and the stored objects are guarded', async () => {
    expect(await rollOut(23_000)).toBe('done')
    expect((await items(cluster, v3)).map(({ metadata }) => metadata.name)).toEqual(['default', `node.${first}`])
    expect(await refusedBy({ ...patch({ spec: { bpfEnabled: true } }), path: `${felixPath}/default` })).toContain(
      'ValidatingAdmissionPolicy',
    )
  }, 60_000)

  test('what the guard forbids passes, as docs/security.md says', async () => {
    expect(await refusedBy(patch({ spec: { logSeverityScreen: 'Fatal' } }), false)).toBeUndefined()
  })
})
