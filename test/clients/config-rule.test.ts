import { ConfigServiceClient, PutEvaluationsCommand } from '@aws-sdk/client-config-service'
import { expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { configRule } from '../../shared/clients/aws/config-rule.ts'
import { complianceOf } from '../../shared/domain/compliance.ts'

const evaluations = Array.from({ length: 250 }, (_, index) => ({
  type: 'AWS::EKS::Cluster',
  id: `cluster-${index}`,
  compliance: { type: 'COMPLIANT', annotation: 'in step' } as const,
}))

test('one evaluation that AWS Config refuses for ever keeps no other from its result, and is named', async () => {
  const config = mockClient(ConfigServiceClient)
  config
    .on(PutEvaluationsCommand)
    .resolvesOnce({ FailedEvaluations: [{ ComplianceResourceId: 'cluster-7' }] as never })
    .resolves({})
  const rule = configRule(config as unknown as ConfigServiceClient)
  const put = rule.put({ resultToken: 'token', at: new Date(), evaluations })
  await expect(put).rejects.toThrow('AWS Config did not accept 1 of 250 evaluations: cluster-7.')
  const sent = config.commandCalls(PutEvaluationsCommand).map(({ args: [{ input }] }) => input.Evaluations?.length)
  expect(sent).toEqual([100, 100, 50])
})

test('a fleet that is swept once a day, with hours to spread it, is compliant all day', () => {
  const seen = { verdict: 'in-step', observedAt: '2026-11-20T00:00:00Z' } as const
  const after = (hours: number) => complianceOf(seen, new Date(Date.parse(seen.observedAt) + hours * 3_600_000)).type
  expect([after(1), after(28), after(49)]).toEqual(['COMPLIANT', 'COMPLIANT', 'NON_COMPLIANT'])
})
