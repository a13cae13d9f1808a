import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy.ts'
import { failed, type ReadFailure } from '../../shared/domain/read.ts'
import { healthy } from './states.ts'

const denied = (change: Partial<ClusterState>) => {
  const cluster = { name: 'prod', account: '111122223333', region: 'eu-west-1' }
  const { findings } = assess({ ...healthy(), cluster, ...change }, defaultPolicy).report
  return findings.find(({ code }) => code === 'ACCESS_DENIED')
}
const no = (kind: ReadFailure['kind'], object: string, message: string) => failed<never>({ kind, object, message })

describe('a refusal says which of four it was, and what to change there', () => {
  test('STS: the role may not be assumed', () => {
    const finding = denied({ eks: no('denied', 'sts:AssumeRole', 'AccessDenied: hub may not assume spoke') })
    expect(finding?.message).toContain('The role may not be assumed (STS): AccessDenied: hub may not assume spoke')
    expect(finding?.remedy).toContain('sts:AssumeRole')
  })

  test('AWS: the credentials are not accepted', () => {
    const finding = denied({ eks: no('unauthenticated', 'eks:DescribeCluster', 'ExpiredTokenException') })
    expect(finding?.message).toContain('AWS does not accept who calls: ExpiredTokenException')
    expect(finding?.remedy).toContain('aws sts get-caller-identity')
  })

  test('IAM: the call is not allowed', () => {
    const finding = denied({ eks: no('denied', 'eks:DescribeCluster', 'AccessDeniedException') })
    expect(finding?.message).toContain('IAM does not allow eks:DescribeCluster')
    expect(finding?.remedy).toContain('Allow eks:DescribeCluster')
  })

  test('401: the API server does not know the identity', () => {
    const finding = denied({ nodes: no('unauthenticated', 'Nodes', '401: Unauthorized') })
    expect(finding?.message).toContain('The API server does not know the identity (401)')
    expect(finding?.remedy).toContain('aws eks create-access-entry --cluster-name prod --region eu-west-1')
  })

  test('403: RBAC does not allow it, with the verbs', () => {
    const finding = denied({
      nodes: no('denied', 'Nodes', '403: forbidden'),
      felix: no('denied', 'FelixConfigurations', '403: forbidden'),
      rollout: no('denied', 'Lease', '403: forbidden'),
    })
    expect(finding?.message).toContain('does not allow to list nodes, list felixconfigurations, get leases (403)')
    expect(finding?.remedy).toContain('infra/kubernetes/rbac.yaml')
  })

  test('two at once are two sentences, and the command that tries each hop comes last', () => {
    const finding = denied({
      eks: no('denied', 'eks:DescribeCluster', 'AccessDeniedException'),
      nodes: no('denied', 'Nodes', '403: forbidden'),
    })
    expect(finding?.message).toMatch(/IAM does not allow .*RBAC of the cluster does not allow|RBAC.*IAM/)
    expect(finding?.remedy?.split('\n').at(-1)).toMatch(/^calico-ipvs-sync doctor --cluster prod --region eu-west-1/)
  })
})
