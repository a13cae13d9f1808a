import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { groups } from '../../shared/domain/grant/groups.ts'
import { type Manifest, manifestsIn } from '../../lab/fixtures/manifests.ts'
import { lease, ours, overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { filledByCalico } from '../../shared/workflows/rollout/server-defaults.ts'

/** What the guard says agrees with what the code writes. What it does is shown on the real API server, next door. */

interface Policy extends Manifest {
  spec: {
    failurePolicy?: string
    policyName?: string
    validationActions?: string[]
    matchConditions?: { expression: string }[]
    variables?: { name: string; expression: string }[]
    validations?: { expression: string; message: string; reason: string }[]
  }
}

const all = manifestsIn<Policy>('guard.yaml')
const policies = all.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
const text = JSON.stringify(policies)

describe('the guard', () => {
  test('denies, each policy by one binding, and what cannot be judged too', () => {
    const bound = all.flatMap(({ spec }) => (spec.validationActions?.join() === 'Deny' ? [spec.policyName ?? ''] : []))
    expect(bound.toSorted()).toEqual(policies.map(({ metadata }) => metadata.name).toSorted())
    expect(new Set(policies.map(({ spec }) => spec.failurePolicy))).toEqual(new Set(['Fail']))
  })

  test('looks at nobody but our operators, and at our Lease', () => {
    const conditions = policies.map(({ spec }) => spec.matchConditions?.map(({ expression }) => expression).join())
    const operators = `'${groups.operators}' in request.userInfo.?groups.orValue([])`
    expect(conditions.filter((it) => it === operators)).toHaveLength(2)
    expect(conditions.find((it) => it !== operators)).toContain(`== '${lease.name}'`)
    expect(text).toContain(`"kubernetes.io/metadata.name":"${lease.namespace}"`)
  })

  test('knows our annotations and what an override must repeat', () => {
    for (const key of [ours, overrideKey, rangeAnnotation]) expect(text).toContain(`'${key}'`)
    const filledIn = policies.flatMap(({ spec }) => spec.variables ?? []).find(({ name }) => name === 'filledIn')
    const fields = [...(filledIn?.expression.matchAll(/'(\w+)'/g) ?? [])].map(([, field = '']) => field)
    expect(fields.toSorted()).toEqual(['nftablesMode', ...filledByCalico].toSorted())
  })

  test('says of each refusal what is allowed, and is applied wherever the rights are', () => {
    for (const { message, reason } of policies.flatMap(({ spec }) => spec.validations ?? []))
      expect([message, reason]).toEqual([expect.stringMatching(/calico-ipvs-sync/), 'Forbidden'])
    for (const page of ['README.md', 'docs/change.md'])
      expect(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')).toContain(
        'kubectl apply -f infra/kubernetes/rbac.yaml -f infra/kubernetes/guard.yaml',
      )
  })
})
