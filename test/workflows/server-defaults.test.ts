import { expect, test } from '@jest/globals'
import type { FelixObject } from '../../shared/domain/cluster.ts'
import type { CalicoApi } from '../../shared/domain/report.ts'
import { carriedFrom, keptFrom } from '../../shared/domain/rollout/range-writes.ts'
import { KubeError } from '../../shared/errors.ts'
import { serverDefaults } from '../../shared/workflows/rollout/server-defaults.ts'

const target = '20000:22767'
const ctlb = ['bpfConnectTimeLoadBalancing', 'bpfHostNetworkedNATWithoutCTLB']
const objectWith = (spec: Record<string, unknown>, annotations: Record<string, string> = {}): FelixObject => ({
  name: 'default',
  uid: 'u',
  resourceVersion: '1',
  createdAt: '2026-01-01T00:00:00Z',
  labels: {},
  annotations,
  spec,
  managedFields: [],
})
/** A cluster whose APIs fill in these fields, as far as a dry run shows; what is not named is not served. */
const filling = (fields: Partial<Record<CalicoApi, string[]>>) => {
  const asked: string[] = []
  const createFelix = async (api: CalicoApi, draft: { spec: Record<string, unknown> }, options?: object) => {
    asked.push(`${api} ${JSON.stringify(options)}`)
    const filled = fields[api]
    if (!filled) throw new KubeError('not-found', 'no such API', { status: 404 })
    return objectWith({ ...draft.spec, ...Object.fromEntries(filled.map((field) => [field, 'x'])) })
  }
  return { kube: { createFelix }, asked }
}

test('the stored objects’ API shows by a dry run all that it fills in', async () => {
  const { kube, asked } = filling({ 'crd.projectcalico.org/v1': ['nftablesMode'] })
  expect(await serverDefaults(kube, { api: 'crd.projectcalico.org/v1' }, target)).toEqual(['nftablesMode'])
  expect(asked).toEqual(['crd.projectcalico.org/v1 {"dryRun":true}'])
})

test('Calico’s API server shows little by a dry run: what its definitions and its own code fill in is counted too', async () => {
  const { kube, asked } = filling({
    'projectcalico.org/v3': ['bpfLogLevel'],
    'crd.projectcalico.org/v1': ['nftablesMode', 'floatingIPs'],
  })
  const fields = await serverDefaults(kube, { api: 'projectcalico.org/v3' }, target)
  const expected = ['bpfLogLevel', 'nftablesMode', 'floatingIPs', ...ctlb, 'bpfConnectTimeLoadBalancingEnabled']
  expect(fields.toSorted()).toEqual(expected.toSorted())
  expect(asked.every((it) => it.endsWith('{"dryRun":true}'))).toBe(true)
})

test('where v3 is served by definitions of its own, or Calico has an etcd of its own, nothing else is asked in vain', async () => {
  const native = filling({ 'projectcalico.org/v3': ['nftablesMode'] })
  expect(await serverDefaults(native.kube, { api: 'projectcalico.org/v3', nativeV3: true }, target)).toEqual([
    'nftablesMode',
  ])
  expect(native.asked).toHaveLength(1)
  const etcd = filling({ 'projectcalico.org/v3': ['bpfLogLevel'] })
  expect(await serverDefaults(etcd.kube, { api: 'projectcalico.org/v3' }, target)).toContain('floatingIPs')
})

test('an object that was there before keeps what it says, in its spec or over it, and is given the rest of default’s', () => {
  const fields = ['floatingIPs', ...ctlb, 'bpfConnectTimeLoadBalancingEnabled']
  const annotation = 'config.projectcalico.org/BPFConnectTimeLoadBalancing'
  const base = objectWith(
    { floatingIPs: 'Enabled', bpfHostNetworkedNATWithoutCTLB: 'Disabled', bpfConnectTimeLoadBalancingEnabled: true },
    { [annotation]: 'Disabled' },
  )
  const silent = keptFrom(base, objectWith({}), fields)
  expect(silent.spec).toEqual({ floatingIPs: 'Enabled', bpfHostNetworkedNATWithoutCTLB: 'Disabled' })
  expect(silent.metadata.annotations).toEqual({ [annotation]: 'Disabled' })
  const kept = keptFrom(base, objectWith({ floatingIPs: 'Disabled' }, { [annotation]: 'TCP' }), fields)
  expect(kept).toEqual({ metadata: { annotations: {} }, spec: { bpfHostNetworkedNATWithoutCTLB: 'Disabled' } })
  expect(carriedFrom(base, fields).spec).toEqual(base.spec)
})
