import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { EKSClient, UpdateClusterConfigCommand } from '@aws-sdk/client-eks'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { type Cloud, startCloud } from '../../../lab/aws/cloud.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { type Assembly, assemble, lambda, role } from './handlers.ts'

const att = (id: string, name = 'Arn') => ({ 'Fn::GetAtt': [id, name] })
const ref = (Ref: string) => ({ Ref })

/** Rule → router → queue → worker → topic → queue and e-mail, and a table; a FIFO queue; a queue whose worker fails. */
const resources = {
  ...role,
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      KeySchema: [{ AttributeName: 'cluster', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'cluster', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    },
  },
  Hook: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'hook', SecretString: 'https://example.invalid' } },
  Work: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 180 } },
  Notices: { Type: 'AWS::SNS::Topic', Properties: {} },
  Read: { Type: 'AWS::SQS::Queue', Properties: {} },
  ReadNotices: {
    Type: 'AWS::SNS::Subscription',
    Properties: {
      TopicArn: ref('Notices'),
      Protocol: 'sqs',
      Endpoint: att('Read'),
      RawMessageDelivery: true,
      FilterPolicy: { severity: ['critical'] },
    },
  },
  Mail: {
    Type: 'AWS::SNS::Subscription',
    Properties: { TopicArn: ref('Notices'), Protocol: 'email', Endpoint: 'ops@example.com' },
  },
  Changes: {
    Type: 'AWS::Events::Rule',
    Metadata: { 'aws:cdk:path': 'Test/Changes/Resource' },
    Properties: {
      EventPattern: {
        source: ['aws.eks'],
        detail: { eventName: ['UpdateClusterConfig'], errorCode: [{ exists: false }] },
      },
      Targets: [
        {
          Id: 'T',
          Arn: att('Router'),
          InputTransformer: {
            InputPathsMap: { name: '$.detail.requestParameters.name', id: '$.detail.responseElements.update.id' },
            InputTemplate: '{"cluster": <name>, "cause": "update <id>"}',
          },
        },
      ],
    },
  },
  Hourly: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      ScheduleExpression: 'rate(1 hour)',
      Target: {
        Arn: att('Router'),
        RoleArn: att('Role'),
        Input: '{"cluster":"swept","cause":"<aws.scheduler.attempt-number>"}',
      },
    },
  },
  Router: lambda('router', { Environment: { Variables: { QUEUE: ref('Work') } } }),
  Worker: lambda('worker', { Environment: { Variables: { TOPIC: ref('Notices'), TABLE: ref('Table') } } }),
  WorkerWorks: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: att('Work'),
      FunctionName: ref('Worker'),
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: 2 },
    },
  },
  StepsLost: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
  Steps: {
    Type: 'AWS::SQS::Queue',
    Properties: {
      FifoQueue: true,
      VisibilityTimeout: 60,
      RedrivePolicy: { deadLetterTargetArn: att('StepsLost'), maxReceiveCount: 2 },
    },
  },
  Stepper: lambda('stepper'),
  StepperSteps: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: att('Steps'),
      FunctionName: att('Stepper'),
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    },
  },
  Failures: { Type: 'AWS::SQS::Queue', Properties: {} },
  Hopeless: lambda('hopeless', { DeadLetterConfig: { TargetArn: att('Failures') } }),
  Doomed: {
    Type: 'AWS::Events::Rule',
    Properties: { EventPattern: { source: ['test.doomed'] }, Targets: [{ Id: 'T', Arn: att('Hopeless') }] },
  },
  Off: {
    Type: 'AWS::Events::Rule',
    Properties: {
      State: 'DISABLED',
      EventPattern: { source: ['test.doomed'] },
      Targets: [{ Id: 'T', Arn: att('Hopeless') }],
    },
  },
}

const handlers = {
  router: `import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs'
    const sqs = new SQSClient({})
    export const handler = async (event) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: JSON.stringify(event) }))
    }`,
  worker: `import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
    import { SNSClient, PublishCommand } from '@aws-sdk/client-sns'
    const [sns, db] = [new SNSClient({}), new DynamoDBClient({})]
    export const handler = async ({ Records: [record] }) => {
      const { cluster, cause } = JSON.parse(record.body)
      await db.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { cluster: { S: cluster }, cause: { S: cause } } }))
      const severity = { DataType: 'String', StringValue: cluster === 'swept' ? 'info' : 'critical' }
      await sns.send(new PublishCommand({
        TopicArn: process.env.TOPIC, Subject: cluster, MessageAttributes: { severity }, MessageStructure: 'json',
        Message: JSON.stringify({ default: cluster + ' looked at', email: 'Dear operator' }),
      }))
    }`,
  stepper: `export const handler = async ({ Records }) => {
      for (const { body, attributes, eventSourceARN } of Records)
        console.log(JSON.stringify({ body, group: attributes.MessageGroupId, tries: attributes.ApproximateReceiveCount, from: eventSourceARN }))
      return { batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({ itemIdentifier: messageId })) }
    }`,
  hopeless: `export const handler = async () => { throw new Error('never') }`,
}

let assembly: Assembly
let cloud: Cloud
let moments: Moment[]

beforeAll(async () => {
  assembly = await assemble(resources, handlers)
  moments = []
  cloud = await startCloud({
    assemblyDir: assembly.folder,
    timeScale: 0.001,
    eks: { clusters: [{ name: 'prod-1', endpoint: 'https://127.0.0.1:1', caData: '' }], updateMilliseconds: 10 },
    onMoment: (moment) => void moments.push(moment),
  })
})
afterAll(async () => {
  await cloud.stop()
  rmSync(assembly.folder, { recursive: true })
})

const sdk = (service: string) => ({
  region: 'eu-west-1',
  endpoint: cloud.endpoints[`AWS_ENDPOINT_URL_${service}`] ?? '',
  credentials: cloud.credentials,
})
const setRange = (minPort: number, maxPort: number) =>
  new EKSClient(sdk('EKS')).send(
    new UpdateClusterConfigCommand({
      name: 'prod-1',
      kubeApiServerConfig: { serviceNodePortRange: { minPort, maxPort } },
    }),
  )
const queueUrl = (id: string) => cloud.stack.resources.find(({ logicalId }) => logicalId === id)?.ref ?? ''
const send = (MessageBody: string, MessageGroupId: string) =>
  new SQSClient(sdk('SQS')).send(
    new SendMessageCommand({
      QueueUrl: queueUrl('Steps'),
      MessageBody,
      MessageGroupId,
      MessageDeduplicationId: `${MessageGroupId}-${MessageBody}-${Math.random()}`,
    }),
  )
const ofKind = <K extends Moment['kind']>(kind: K) =>
  moments.filter((moment): moment is Extract<Moment, { kind: K }> => moment.kind === kind)

describe('the synthesized stack in the lab', () => {
  test('carries a change of a cluster through rule, functions, queue and topic to readers', async () => {
    const { update } = await setRange(20000, 22767)
    await cloud.idle()
    expect(cloud.faults).toEqual([])
    expect(ofKind('routed')).toMatchObject([{ rule: 'Changes', target: 'Router' }])
    expect(ofKind('batch')).toMatchObject([{ queue: 'Work', function: 'Worker', failed: [] }])
    expect(await cloud.messages('Read')).toEqual(['prod-1 looked at'])
    expect(cloud.deliveries).toMatchObject([
      { protocol: 'email', endpoint: 'ops@example.com', subject: 'prod-1', message: 'Dear operator' },
    ])
    const TableName = cloud.stack.resources.find(({ logicalId }) => logicalId === 'Table')?.name
    const { Item } = await new DynamoDBClient(sdk('DYNAMODB')).send(
      new GetItemCommand({ TableName, Key: { cluster: { S: 'prod-1' } } }),
    )
    expect(Item?.['cause']).toEqual({ S: `update ${update?.id}` })
  })

  test('a refused change matches no rule', async () => {
    const before = ofKind('routed').length
    await expect(setRange(1, 2)).rejects.toThrow()
    expect(ofKind('event').at(-1)?.event.detail['errorCode']).toBe('InvalidParameterException')
    expect(ofKind('routed')).toHaveLength(before)
  })

  test('a schedule fires its own input; the filter of a subscription holds it back, the e-mail has none', async () => {
    cloud.fire('Hourly')
    await cloud.idle()
    expect(cloud.deliveries.at(-1)?.subject).toBe('swept')
    expect(await cloud.messages('Read')).toHaveLength(1)
    expect(() => cloud.fire('Daily')).toThrow('no enabled schedule Daily')
  })

  test('steps of one cluster run in order, one at a time; what fails twice becomes a dead letter', async () => {
    for (const body of ['1', 'bad', '2']) await send(body, 'a')
    await send('1', 'b')
    await cloud.idle()
    const lines = ofKind('log').filter((log) => log.function === 'Stepper')
    const seen = lines.map(({ line }) => JSON.parse(line.split('\t').at(-1) ?? ''))
    const ofA = seen.filter(({ group }) => group === 'a').map(({ body, tries }) => [body, tries])
    expect(ofA).toEqual([
      ['1', '1'],
      ['bad', '1'],
      ['bad', '2'],
      ['2', '1'],
    ])
    expect(seen.filter(({ group }) => group === 'b')).toHaveLength(1)
    expect(seen[0].from).toBe('arn:aws:sqs:eu-west-1:000000000000:Test-Steps.fifo')
    expect(await cloud.messages('StepsLost')).toEqual(['bad'])
  })

  test('an event whose function fails is tried three times and then kept; a disabled rule takes nothing', async () => {
    expect(cloud.putEvent({ source: 'test.doomed', detail: { a: 1 } })).toHaveLength(1)
    await cloud.idle()
    expect(cloud.invocations.filter(({ name }) => name === 'Hopeless')).toHaveLength(3)
    const [kept] = await cloud.messages('Failures')
    expect(JSON.parse(kept ?? '')).toMatchObject({ source: 'test.doomed', detail: { a: 1 } })
  })

  test('secrets can be put and read, roles taken, and who one is is known', async () => {
    const secrets = new SecretsManagerClient(sdk('SECRETS_MANAGER'))
    const SecretId = queueUrl('Hook')
    cloud.secrets.put('hook', cloud.slack.webhookUrl)
    expect((await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString).toBe(cloud.slack.webhookUrl)
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'other' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    const RoleArn = 'arn:aws:iam::444455556666:role/path/spoke'
    const { Credentials } = await new STSClient(sdk('STS')).send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }),
    )
    const assumed = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    }
    const spoke = new STSClient({ ...sdk('STS'), credentials: assumed })
    expect(await spoke.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '444455556666',
      Arn: 'arn:aws:sts::444455556666:assumed-role/spoke/me',
    })
  })

  test('a stranger’s access key is refused everywhere', async () => {
    const credentials = { accessKeyId: 'ASIASTRANGER', secretAccessKey: 'x', sessionToken: 'y' }
    const stranger = (service: string) => ({ ...sdk(service), credentials, maxAttempts: 1 })
    const tries = [
      new SQSClient(stranger('SQS')).send(new SendMessageCommand({ QueueUrl: queueUrl('Work'), MessageBody: 'x' })),
      new STSClient(stranger('STS')).send(new GetCallerIdentityCommand({})),
      new DynamoDBClient(stranger('DYNAMODB')).send(new GetItemCommand({ TableName: 'x', Key: {} })),
      new SecretsManagerClient(stranger('SECRETS_MANAGER')).send(new GetSecretValueCommand({ SecretId: 'hook' })),
    ]
    const names = await Promise.all(
      tries.map((one) =>
        one.then(
          () => 'let in',
          (error: Error) => error.name,
        ),
      ),
    )
    expect(names).toEqual([
      'UnrecognizedClientException',
      'InvalidClientTokenId',
      'UnrecognizedClientException',
      'UnrecognizedClientException',
    ])
  })

  test('idle says what is still busy when it has waited long enough', async () => {
    await new SQSClient(sdk('SQS')).send(
      new SendMessageCommand({
        QueueUrl: queueUrl('Work'),
        MessageBody: '{"cluster":"late","cause":"x"}',
        DelaySeconds: 1,
      }),
    )
    await expect(cloud.idle({ timeoutMilliseconds: 50 })).rejects.toThrow('still busy with Test-Work')
    await cloud.idle()
    expect(cloud.deliveries.at(-1)?.subject).toBe('late')
  })

  test('functions end when the lab is killed', async () => {
    const script = `
      import { startCloud } from ${JSON.stringify(import.meta.resolve('../../../lab/aws/cloud.ts'))}
      const cloud = await startCloud({ assemblyDir: ${JSON.stringify(assembly.folder)} })
      await cloud.invoke('Hopeless', {})
      console.log('invoked')`
    const lab = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(lab.stdout, 'data')
    const functions = childrenOf(lab.pid)
    expect(functions.map(isRunning)).toEqual([true])
    lab.kill('SIGKILL')
    for (let tries = 0; tries < 100 && functions.some(isRunning); tries += 1) await delay(20)
    expect(functions.filter(isRunning)).toEqual([])
  })
})

/** A zombie, which only waits for its parent to ask, has ended. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const childrenOf = (pid: number | undefined): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
