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

/** The names of calls in the code of `shared/clients/aws/slim`, and of permissions. */
const services: Record<string, string> = {
  DynamoDB_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  AmazonSimpleNotificationService: 'sns',
  AmazonS3: 's3',
  EKS: 'eks',
  AWSSecurityTokenServiceV20110615: 'sts',
  secretsmanager: 'secretsmanager',
  StarlingDoveService: 'config',
}

/** A batch is judged as its single messages are. */
const actionOf = (service: string, call: string) => `${service}:${call}`.replace('SendMessageBatch', 'SendMessage')

/** Calls without a client. */
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

/** The calls of AWS that remain in the bundle's code. */
const callsIn = (name: string): string[] => {
  const code = readFileSync(join(bundles, name, 'index.js'), 'utf8')
  const named = Array.from(code.matchAll(/["'`](\w+)\.([A-Z]\w+)["'`]/g), ([, target = '', call = '']) =>
    services[target] ? [actionOf(services[target], call)] : [],
  )
  const metafile = JSON.parse(readFileSync(join(`${bundles}-meta`, `${name}.json`), 'utf8')) as {
    outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>
  }
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  const signed = inputs.flatMap(([file, { bytesInOutput }]) => {
    const [, calls] = Object.entries(signedByHand).find(([source]) => file.endsWith(source)) ?? []
    return calls && bytesInOutput > 0 ? [calls].flat() : []
  })
  return [...named.flat(), ...signed]
}

const stack = deployment({ ...everything, ...ofOrganization })

/**
 * In the code, but never called there: the EKS client is one record of functions.
 */
const describing = ['eks:DescribeAddon', 'eks:DescribeCluster', 'eks:DescribeUpdate', 'eks:ListUpdates']
/** Of a bot; this deployment has a webhook, which cannot reply. */
const threads = ['dynamodb:GetItem', 'dynamodb:PutItem']

test.each([
  ['on-event', 'OnEventRole', []],
  ['on-audit-log', 'OnAuditLogRole', []],
  // Of a configuration that names no units.
  ['sweep', 'SweepRole', ['organizations:ListAccounts']],
  ['list-clusters', 'ListClustersRole', describing],
  ['evaluate', 'EvaluateRole', []],
  ['rollout-step', 'RolloutStepRole', []],
  ['fleet-report', 'FleetReportRole', []],
  ['config-rule', 'ConfigRuleRole', []],
  ['tell', 'TellRole', []],
  ['notify-slack', 'NotifySlackRole', threads],
])('%s may do what its code calls, and nothing that it does not', (name, role, neverCalled) => {
  // What could not be done is sent to its dead letters by Lambda itself, in the name of the role.
  const byLambda = name === 'fleet-report' || name === 'config-rule' ? ['sqs:SendMessage'] : []
  const allowed = actionsOf(stack, role).filter((action) => !lambdas.test(action) && !byLambda.includes(action))
  expect(new Set(callsIn(name))).toEqual(new Set([...allowed, ...neverCalled]))
})
