import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { bundled } from '../flow/assemble.ts'
import { actionsOf, deployment, everything, ofOrganization } from '../infra/deployment.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-permissions-'))
let bundles: string
beforeAll(async () => {
  bundles = await bundled(folder)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

/** What Lambda does with the function's role on its own: logs, polling, failures, traces, network interfaces, encryption. */
const lambdas = /^(logs|xray|ec2|kms):|^sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)$/

/** A batch is judged as its single messages are. */
const actionOf = (client: string, command: string) =>
  `${client.replace('-service', '').replace('-', '')}:${command}`.replace('SendMessageBatch', 'SendMessage')

/** Calls without a client of the SDK. */
const signedByHand = {
  'shared/clients/aws/health.ts': 'cloudwatch:DescribeAlarms',
  'shared/clients/aws/brake.ts': 'ssm:GetParameter',
  'shared/clients/aws/organization.ts': [
    'organizations:ListAccounts',
    'organizations:ListAccountsForParent',
    'organizations:ListOrganizationalUnitsForParent',
    'organizations:ListTagsForResource',
  ],
}

/** The calls of AWS that are in the code, by the command classes that remain in the bundle. */
const callsIn = (name: string): string[] => {
  const metafile = JSON.parse(readFileSync(join(`${bundles}-meta`, `${name}.json`), 'utf8')) as {
    outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>
  }
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  return inputs.flatMap(([file, { bytesInOutput }]) => {
    const signed = Object.entries(signedByHand).find(([source]) => file.endsWith(source))
    if (signed && bytesInOutput > 0) return [signed[1]].flat()
    const [, client = '', command = ''] = /@aws-sdk\/client-([\w-]+)\/.*\/commands\/(\w+)Command\.js$/.exec(file) ?? []
    return client && bytesInOutput > 0 ? [actionOf(client, command)] : []
  })
}

const stack = deployment({ ...everything, ...ofOrganization })

/**
 * In the code, but never called there: the EKS client is one record of functions, DynamoDB's discovery of endpoints is off, and
 * sessions are for directory buckets.
 */
const describing = ['eks:DescribeAddon', 'eks:DescribeCluster', 'eks:DescribeUpdate', 'eks:ListUpdates']
/** Of a bot; this deployment has a webhook, which cannot reply. */
const threads = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DescribeEndpoints']

test.each([
  ['on-event', 'OnEventRole', ['dynamodb:DescribeEndpoints']],
  ['on-audit-log', 'OnAuditLogRole', ['dynamodb:DescribeEndpoints']],
  // Of a configuration that names no units.
  ['sweep', 'SweepRole', ['organizations:ListAccounts', 'dynamodb:DescribeEndpoints']],
  ['list-clusters', 'ListClustersRole', [...describing, 'dynamodb:DescribeEndpoints']],
  ['evaluate', 'EvaluateRole', ['dynamodb:DescribeEndpoints']],
  ['rollout-step', 'RolloutStepRole', ['dynamodb:DescribeEndpoints']],
  ['fleet-report', 'FleetReportRole', ['dynamodb:DescribeEndpoints', 's3:CreateSession']],
  ['config-rule', 'ConfigRuleRole', ['dynamodb:DescribeEndpoints']],
  ['tell', 'TellRole', ['dynamodb:DescribeEndpoints']],
  ['notify-slack', 'NotifySlackRole', threads],
])('%s may do what its code calls, and nothing that it does not', (name, role, neverCalled) => {
  // What could not be done is sent to its dead letters by Lambda itself, in the name of the role.
  const byLambda = name === 'fleet-report' || name === 'config-rule' ? ['sqs:SendMessage'] : []
  const allowed = actionsOf(stack, role).filter((action) => !lambdas.test(action) && !byLambda.includes(action))
  expect(new Set(callsIn(name))).toEqual(new Set([...allowed, ...neverCalled]))
})
