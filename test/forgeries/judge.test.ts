import { describe, expect, test } from '@jest/globals'
import { judge, type VariantOutcome } from '../verify/forgeries/judge.ts'
import { randomOf } from '../verify/forgeries/random.ts'
import { variantOf } from '../verify/forgeries/variant.ts'
import type { Listed } from '../verify/forgeries/world.ts'

const pod = (name: string, daemonSet?: string): Listed => {
  const owner = { kind: 'DaemonSet', name: daemonSet ?? '', uid: 'u', controller: true }
  const metadata = { namespace: 'kube-system', name, uid: name, resourceVersion: '1' }
  return { metadata: { ...metadata, ...(daemonSet && { ownerReferences: [owner] }) } }
}
const felix = (name: string, annotations: Record<string, string> = {}, spec: Record<string, unknown> = {}): Listed => ({
  metadata: { name, uid: name, resourceVersion: '1', annotations },
  spec,
})
const before = {
  pods: [pod('coredns'), pod('kube-proxy-1', 'kube-proxy'), pod('calico-node-1', 'calico-node')],
  felix: [felix('default', {}, { logSeverityScreen: 'Info' }), felix('gpu'), felix('node.n1')],
  others: ['a ConfigMap'],
  lease: '7',
}
const range = { 'config.projectcalico.org/KubeNodePortRanges': '20000:32767' }
const quiet = { made: [], notices: ['a'], looks: 2, unseen: [], verdicts: 2, deadLetters: [] }
const after = (change: Partial<VariantOutcome['after']>): VariantOutcome => ({
  before,
  after: { ...before, ...change },
  ...quiet,
})
const variant = (about: { setting?: 'in-step' | 'out-of-step'; action?: 'sync' | 'report' } = {}) => ({
  ...variantOf(1, 1),
  setting: 'in-step' as const,
  action: 'sync' as const,
  forgeries: [],
  ...about,
})
const harms = (change: Partial<VariantOutcome['after']>, about = {}) => judge(variant(about), after(change)).harms

describe('what counts as harm', () => {
  test('a pod that goes, unless it is calico-node’s', () => {
    expect(harms({ pods: before.pods.slice(1, 2) })).toEqual(['pod kube-system/coredns was deleted'])
    expect(harms({ pods: [pod('coredns'), pod('calico-node-1', 'calico-node')] })).toHaveLength(1)
    expect(harms({ pods: [pod('coredns'), pod('kube-proxy-1', 'kube-proxy')] })).toEqual([])
  })

  test('an object that goes, and one that changes where nothing is needed', () => {
    expect(harms({ felix: before.felix.slice(1) })).toEqual(['FelixConfiguration default was deleted'])
    expect(
      harms({ felix: [felix('default', range, { logSeverityScreen: 'Info' }), ...before.felix.slice(1)] }),
    ).toHaveLength(1)
  })

  test('where a range is needed: another value than that, another field, an object with a selector', () => {
    const out = { setting: 'out-of-step' as const }
    const [base, gpu, own] = before.felix as [Listed, Listed, Listed]
    const spec = { logSeverityScreen: 'Info' }
    expect(harms({ felix: [felix('default', range, spec), gpu, own] }, out)).toEqual([])
    expect(
      harms({ felix: [felix('default', { [Object.keys(range)[0] ?? '']: '1:2' }, spec), gpu, own] }, out),
    ).toHaveLength(1)
    expect(harms({ felix: [felix('default', range), gpu, own] }, out)).toHaveLength(1)
    expect(harms({ felix: [base, felix('gpu', range), own] }, out)).toHaveLength(1)
  })

  test('any write where it may only report, and any change of what is not Felix’s', () => {
    const report = { action: 'report' as const }
    expect(harms({ lease: '8' }, report)).toHaveLength(1)
    expect(harms({ felix: [...before.felix, felix('node.n2')] }, report)).toHaveLength(1)
    expect(harms({ others: [] })).toHaveLength(1)
  })
})

test('a look without a verdict, a dead letter, and the same words twice running are found', () => {
  const seen = { ...after({}), verdicts: 0, unseen: ['m'], deadLetters: ['{}'], notices: ['a', 'b', 'b', 'a'] }
  const { withoutVerdict, toldTwice } = judge(variant(), seen)
  expect(withoutVerdict).toHaveLength(3)
  expect(toldTwice).toEqual(['b'])
})

test('the same seed and number give the same variant', () => {
  const texts = (seed: number) =>
    Array.from({ length: 50 }, (_, nth) => variantOf(seed, nth).what.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, ''))
  expect(texts(3)).toEqual(texts(3))
  expect(texts(3)).not.toEqual(texts(4))
  expect(new Set(Array.from({ length: 1000 }, (_, nth) => randomOf(1, nth).int(1e9))).size).toBeGreaterThan(990)
})
