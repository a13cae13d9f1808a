import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesize } from '../../infra/app.ts'
import { parseConfig } from '../../infra/config.ts'
import { functionNames } from '../../infra/functions.ts'
import { readDeployment } from '../../shared/deployment.ts'
import { type Resource, resolveTemplate, type Stack } from '../../lab/aws/template.ts'

export const account = '111122223333'
export const region = 'eu-west-1'

/** Everything switched on. */
export const everything = {
  env: { account, region },
  regions: [region, 'eu-central-1'],
  accounts: [
    { account },
    {
      account: '444455556666',
      viewerRoleArn: 'arn:aws:iam::444455556666:role/fleet/looks',
      operatorRoleArn: 'arn:aws:iam::444455556666:role/fleet/changes',
    },
    { account: '555566667777', regions: ['eu-north-1'], viewerRoleArn: 'arn:aws:iam::555566667777:role/only-looks' },
    { account: '666677778888', externalId: 'of-that-account' },
  ],
  clusters: ['prod-1', 'prod_2'],
  auditLogs: ['prod-1', 'prod_2'],
  emails: ['oncall@example.com'],
  slackWebhookSecretArn: `arn:aws:secretsmanager:${region}:${account}:secret:slack-AbCdEf`,
  vpc: { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] },
  policy: { pauseOnAlarms: ['checkout-errors'] },
  reservedConcurrency: { evaluate: 20 },
  tracing: true,
  configRule: true,
  tags: { team: 'platform' },
}

/** Accounts that a sweep finds. */
export const ofOrganization = {
  organizationId: 'o-a1b2c3d4e5',
  organization: { units: ['ou-ab12-34cd56ef'], tag: { key: 'eks' }, leaveOut: ['777788889999'] },
}

/** The stack, and what each function reads at its start from beside its code. */
export type Deployed = Stack & { configured: Record<string, ReturnType<typeof readDeployment>> }

/**
 * The template of a configuration, with every reference resolved. The functions' code is one line: it is not what is looked at.
 * CloudFormation's own rules take seconds to load: one test applies them.
 */
export const deployment = (config: unknown = {}, rules = false): Deployed => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-'))
  try {
    for (const name of functionNames) {
      mkdirSync(join(folder, 'lambda', name), { recursive: true })
      writeFileSync(join(folder, 'lambda', name, 'index.js'), `exports.handler = async () => '${name}'`)
    }
    const options = { bundles: join(folder, 'lambda'), outdir: join(folder, 'cdk.out'), rules }
    const template = synthesize(parseConfig(config), options)
    const at = { account, region, stackName: 'Test', queuesUrl: 'http://127.0.0.1:1' }
    // Where the assets lie is found from the cloud assembly.
    const stack = resolveTemplate({ template, folder: options.outdir, stackName: 'Test' }, at)
    const env = { AWS_REGION: region }
    const read = stack
      .ofType('AWS::Lambda::Function')
      .map((it) => [it.label, readDeployment(account, { ...env, LAMBDA_TASK_ROOT: stack.assetOf(it) })])
    return { ...stack, configured: Object.fromEntries(read) as Deployed['configured'] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const labelled = ({ resources }: Stack, type: string, label: string): Resource => {
  const found = resources.find((it) => it.type === type && it.logicalId.replace(/[0-9A-F]{8}$/, '') === label)
  if (!found) throw new Error(`no ${type} ${label} in the template`)
  return found
}

export interface Statement {
  Effect: string
  Action: string | string[]
  Resource: string | string[]
  Condition?: object
}

export const list = <T>(it: T | T[]): T[] => (Array.isArray(it) ? it : [it])

export const statementsOf = (stack: Stack, role: string): Statement[] => {
  const { ref } = labelled(stack, 'AWS::IAM::Role', role)
  return stack
    .ofType('AWS::IAM::Policy')
    .filter(({ properties }) => list(properties['Roles']).includes(ref))
    .flatMap(({ properties }) => (properties['PolicyDocument'] as { Statement: Statement[] }).Statement)
}

export const actionsOf = (stack: Stack, role: string) =>
  statementsOf(stack, role)
    .flatMap(({ Action }) => Action)
    .toSorted()
