import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed, type ReadFailure } from '../../shared/domain/read.ts'
import { unobserved } from '../../shared/workflows/observe/observation.ts'
import { healthy } from './states.ts'

const denied = (change: Partial<ClusterState>) => {
  const cluster = { name: 'prod', account: '111122223333', region: 'eu-west-1' }
  const { findings } = assess({ ...healthy(), cluster, ...change }, defaultPolicy).report
  return findings.find(({ code }) => code === 'ACCESS_DENIED')
}
const no = (kind: ReadFailure['kind'], object: string, message: string, status?: number) =>
  failed<never>({ kind, object, message, ...(status !== undefined && { status }) })

describe('a refusal says which of four it was, and what to change there', () => {
  test('STS: the role may not be assumed', () => {
    const finding = denied({ eks: no('denied', 'sts:AssumeRole', 'AccessDenied: hub may not assume spoke') })
    expect(finding?.message).toContain('The role may not be assumed (STS): AccessDenied: hub may not assume spoke')
    expect(finding?.remedy).toContain('sts:AssumeRole')
  })

  test('AWS: the credentials are not accepted', () => {
    const finding = denied({ eks: no('unauthenticated', 'eks:DescribeCluster', 'ExpiredTokenException') })
    expect(finding?.message).toContain('AWS does not accept the identity: ExpiredTokenException')
    expect(finding?.remedy).toContain('aws sts get-caller-identity')
  })

  test('IAM: the call is not allowed', () => {
    const finding = denied({ eks: no('denied', 'eks:DescribeCluster', 'AccessDeniedException') })
    expect(finding?.message).toContain('IAM does not allow eks:DescribeCluster')
    expect(finding?.remedy).toContain('Allow eks:DescribeCluster')
  })

  test('401: the API server does not know the identity', () => {
    const finding = denied({ nodes: no('unauthenticated', 'Nodes', '401: Unauthorized', 401) })
    expect(finding?.message).toContain('The API server does not know the identity (401)')
    expect(finding?.remedy).toContain('aws eks create-access-entry --cluster-name prod --region eu-west-1')
  })

  test('403: RBAC does not allow it, with the verbs', () => {
    const finding = denied({
      nodes: no('denied', 'Nodes', '403: forbidden'),
      felix: no('denied', 'FelixConfigurations', '403: forbidden'),
      rollout: no('denied', 'Lease', '403: forbidden'),
    })
    expect(finding?.message).toContain('denies: list nodes, list felixconfigurations, get leases (403)')
    expect(finding?.remedy).toMatch(/^calico-ipvs-sync rbac \| kubectl --context \S+ apply -f - /m)
  })

  test('401 where nothing says that it is EKS: the credential, and no command of EKS', () => {
    const cluster = { name: 'kind', context: 'kind' }
    const finding = denied({ cluster, nodes: no('unauthenticated', 'Nodes', '401: Unauthorized', 401) })
    expect(finding?.remedy).toContain('kubectl --context kind auth whoami')
    expect(finding?.remedy).not.toContain('aws ')
  })

  test('no token: nothing was sent, so the API server refused nobody', () => {
    const nodes = no('unauthenticated', 'Nodes', 'No token for the API server: SSO expired')
    const finding = denied({ nodes })
    expect(finding?.message).toContain('Nothing was sent to the API server: No token for the API server')
    expect(finding?.remedy).toContain('aws sts get-caller-identity')
    expect(denied({ nodes, cluster: { name: 'x', context: 'x' } })?.remedy).toContain('kubectl --context x auth whoami')
  })

  test.each(['denied', 'unauthenticated'] as const)(
    'EKS alone refused (%s): what hangs on it is no refusal of its own',
    (kind) => {
      const failure = { kind, object: 'eks:DescribeCluster', message: 'not authorized', status: 403 }
      const identity = { name: 'prod', region: 'eu-west-1' }
      const state = unobserved({ identity, now: new Date(), eks: failed(failure) }, failure)
      const finding = assess(state, defaultPolicy).report.findings.find(({ code }) => code === 'ACCESS_DENIED')
      expect(finding?.message).toContain(
        kind === 'denied' ? 'IAM does not allow eks:' : 'AWS does not accept the identity',
      )
      expect(finding?.message).not.toMatch(/RBAC|API server/)
      expect(finding?.remedy).not.toMatch(/rbac|create-access-entry/)
    },
  )

  test('EKS refused beside a range that is known says what is not known, and does not say that nothing is written', () => {
    const eks = no('denied', 'eks:DescribeCluster', 'AccessDeniedException')
    const given = (source: 'probe' | 'flag') => denied({ eks, givenServiceRange: { min: 1, max: 2, source } })?.message
    const unsure = 'whether EKS is changing the cluster is not known'
    expect(given('probe')).toContain(`so the service range is the one that the API server returned, and ${unsure}.`)
    expect(given('flag')).toContain(`so the service range is the one that was given, and ${unsure}.`)
    expect(denied({ eks })?.message).toContain('so the service range is assumed, and nothing is written.')
  })

  test('two at once are two sentences, and the command that tries each hop comes last', () => {
    const finding = denied({
      eks: no('denied', 'eks:DescribeCluster', 'AccessDeniedException'),
      nodes: no('denied', 'Nodes', '403: forbidden'),
    })
    expect(finding?.message).toMatch(/IAM does not allow .*RBAC denies|RBAC.*IAM/)
    expect(finding?.remedy?.split('\n').at(-1)).toMatch(/^calico-ipvs-sync doctor --cluster prod --region eu-west-1/)
  })
})
