import { expect, test } from '@jest/globals'
import type { BusEvent } from '../../../lab/aws/eks-trail.ts'
import type { EventBus } from '../../../lab/aws/event-bus.ts'
import { ownPolicyAllows } from '../../../lab/aws/iam.ts'
import { createSpokes } from '../../../lab/aws/spokes.ts'
import { spokeTemplate } from '../../../shared/domain/spoke/template.ts'
import { account, deployment, ofOrganization, region } from '../../infra/deployment.ts'

const member = '444455556666'
const { organizationId } = ofOrganization
const stack = deployment({ env: { account, region }, regions: [region], ...ofOrganization })

test.each([
  ['evaluate', 'viewer', organizationId, true],
  ['list-clusters', 'viewer', organizationId, true],
  ['rollout-step', 'operator', organizationId, true],
  ['evaluate', 'viewer', 'o-0000000000', false],
  ['evaluate', 'viewer', undefined, false],
  ['evaluate', 'operator', organizationId, false],
  ['rollout-step', 'viewer', organizationId, false],
  ['evaluate', 'viewer-of-others', organizationId, false],
  ['nobody', 'viewer', organizationId, undefined],
])('%s may by its own policies take the role %s in an account of %s: %s', (caller, kind, inside, may) => {
  const asked = {
    action: 'sts:AssumeRole',
    resource: `arn:aws:iam::${member}:role/calico-ipvs-sync-${kind}`,
    values: { 'aws:ResourceOrgID': inside },
  }
  expect(ownPolicyAllows(stack, `arn:aws:iam::${account}:role/calico-ipvs-sync-${caller}`, asked)).toBe(may)
})

test('the bus of a hub with an organization lets in the accounts of that organization alone', () => {
  const template = spokeTemplate({ hubAccount: account, hubRegion: region, externalId: 'ours' })
  const event = {
    source: 'aws.eks',
    'detail-type': 'EKS Addon Update Succeeded',
    account: member,
    region,
    resources: [`arn:aws:eks:${region}:${member}:addon/prod/kube-proxy/1`],
    detail: { addonName: 'kube-proxy' },
  } as unknown as BusEvent
  const put: string[] = []
  const bus = { putEvent: (_: object, to: string) => (put.push(to), []) } as unknown as EventBus
  const forward = (inside?: string) =>
    createSpokes([{ account: member, region, template, ...(inside && { organizationId: inside }) }]).forward(event, {
      stack,
      bus,
    })
  forward(organizationId)
  expect(put).toEqual(['calico-ipvs-sync'])
  for (const inside of [undefined, 'o-0000000000'])
    expect(() => forward(inside)).toThrow(/lets no account 444455556666/)
})
