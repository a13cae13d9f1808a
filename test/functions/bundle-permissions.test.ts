import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { functionNames } from '../../infra/functions.ts'
import { signedActions } from '../../shared/clients/aws/signed-call.ts'
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

interface Metafile {
  inputs: Record<string, { imports: { path: string }[] }>
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>
}
const metafileOf = (name: string) =>
  JSON.parse(readFileSync(join(`${bundles}-meta`, `${name}.json`), 'utf8')) as Metafile

/** Files of which something remains in the bundle. */
const filesIn = ({ outputs }: Metafile): string[] =>
  Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  )

/** Calls without a client of the SDK, by their targets in the bundle: `AmazonSSM.GetParameter`, or both parts of it. */
const signedIn = (name: string): string[] => {
  const files = readdirSync(join(bundles, name)).filter((file) => file.endsWith('.js'))
  const code = files.map((file) => readFileSync(join(bundles, name, file), 'utf8')).join('\n')
  const has = (text: string) => ['"', "'", '`'].some((quote) => code.includes(quote + text + quote))
  return Object.entries(signedActions).flatMap(([target, action]) => {
    const [service = '', operation = ''] = target.split('.')
    return has(target) || (code.includes(`${service}.$`) && has(operation)) ? [action] : []
  })
}

/** The calls of AWS that are in the code: those that are signed here, and the command classes that remain in the bundle. */
const callsIn = (name: string): string[] => [
  ...signedIn(name),
  ...filesIn(metafileOf(name)).flatMap((file) => {
    const [, client = '', command = ''] = /@aws-sdk\/client-([\w-]+)\/.*\/commands\/(\w+)Command\.js$/.exec(file) ?? []
    return client ? [actionOf(client, command)] : []
  }),
]

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

test('nothing else is signed by code of our own but tokens, which need no permission', () => {
  const isOwn = (file: string) => /^(functions|shared)\//.test(file)
  const signers = functionNames
    .map(metafileOf)
    .flatMap((it) =>
      filesIn(it).filter(
        (file) => isOwn(file) && it.inputs[file]?.imports.some(({ path }) => path.includes('signature-v4')),
      ),
    )
  expect(new Set(signers)).toEqual(new Set(['shared/clients/aws/eks-token.ts', 'shared/clients/aws/signed-call.ts']))
})
