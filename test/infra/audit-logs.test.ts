import { describe, expect, test } from '@jest/globals'
import { deployment, everything, labelled } from './deployment.ts'

const stack = deployment(everything)
const filters = stack.ofType('AWS::Logs::SubscriptionFilter').map(({ properties }) => properties)

describe('audit logs', () => {
  test('are subscribed to for each cluster that is named, by one pattern, to a function of their own', () => {
    const { arn } = labelled(stack, 'AWS::Lambda::Function', 'OnAuditLog')
    expect(filters.map((it) => it['LogGroupName'])).toEqual(['/aws/eks/prod-1/cluster', '/aws/eks/prod_2/cluster'])
    expect(new Set(filters.map((it) => it['DestinationArn']))).toEqual(new Set([arn]))
    expect(new Set(filters.map((it) => it['FilterPattern'])).size).toBe(1)
  })

  test('come only from CloudWatch Logs, of log groups of clusters of this account and region', () => {
    const permissions = stack.ofType('AWS::Lambda::Permission').map(({ properties }) => properties)
    expect(permissions.filter((it) => it['Principal'] === 'logs.amazonaws.com')).toEqual([
      expect.objectContaining({
        Action: 'lambda:InvokeFunction',
        SourceAccount: '111122223333',
        SourceArn: 'arn:aws:logs:eu-west-1:111122223333:log-group:/aws/eks/*/cluster:*',
      }),
    ])
  })

  test('that could not be worked on are kept with the events', () => {
    const lost = labelled(stack, 'AWS::SQS::Queue', 'EventsDeadLetters')
    const it = labelled(stack, 'AWS::Lambda::Function', 'OnAuditLog')
    const configs = stack.ofType('AWS::Lambda::EventInvokeConfig').map(({ properties }) => properties)
    expect(configs.find(({ FunctionName }) => FunctionName === it.ref || FunctionName === it.name)).toMatchObject({
      DestinationConfig: { OnFailure: { Destination: lost.arn } },
    })
  })

  test('without the option there is nothing of them', () => {
    const without = deployment({ env: everything.env })
    expect(without.ofType('AWS::Logs::SubscriptionFilter')).toEqual([])
    expect(without.ofType('AWS::Lambda::Function').map(({ label }) => label)).not.toContain('OnAuditLog')
  })
})
