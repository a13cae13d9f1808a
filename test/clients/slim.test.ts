import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import * as config from '@aws-sdk/client-config-service'
import * as dynamodb from '@aws-sdk/client-dynamodb'
import * as eks from '@aws-sdk/client-eks'
import * as s3 from '@aws-sdk/client-s3'
import * as secrets from '@aws-sdk/client-secrets-manager'
import * as sns from '@aws-sdk/client-sns'
import * as sqs from '@aws-sdk/client-sqs'
import * as sts from '@aws-sdk/client-sts'
import { HttpResponse } from '@smithy/core/protocols'
import { type Answer, type Endpoint, type Request, serve } from '../../lab/aws/endpoint.ts'
import { endpointOf } from '../../shared/clients/aws/slim/client.ts'
import * as slimConfig from '../../shared/clients/aws/slim/config-service.ts'
import * as slimDynamodb from '../../shared/clients/aws/slim/dynamodb.ts'
import * as slimEks from '../../shared/clients/aws/slim/eks.ts'
import * as slimS3 from '../../shared/clients/aws/slim/s3.ts'
import * as slimSecrets from '../../shared/clients/aws/slim/secrets-manager.ts'
import * as slimSns from '../../shared/clients/aws/slim/sns.ts'
import * as slimSqs from '../../shared/clients/aws/slim/sqs.ts'
import * as slimSts from '../../shared/clients/aws/slim/sts.ts'

/** The clients in the functions' bundles, beside those of the SDK in whose place they are. */
interface Client {
  send: (call: never) => Promise<object>
}
type Clients = { of: new (options: never) => Client; command: new (input: never) => object }[]

const table = { TableName: 'records', Key: { pk: { S: 'a' } } }
const bytes = new Uint8Array([0, 1, 250, 255])
const item = { pk: { S: 'a' }, at: { N: '7' }, list: { L: [{ B: bytes }] }, map: { M: { B: { BOOL: true } } } }
const itemAnswered = JSON.stringify(item).replace(/\{"B":\{"0".*?\}\}/, '{"B":"AAH6/w=="}')
/** A queue is called where its URL is: the path of the queue, at whatever server. */
const queue = '/111122223333/work.fifo'
const attributes = { reason: { DataType: 'String', StringValue: 'späť' } }

const assumed =
  '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>a/b+c=</SecretAccessKey>' +
  '<SessionToken>tok&amp;en==</SessionToken><Expiration>2026-11-30T02:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>'

const of = (client: unknown, command: unknown) => ({ of: client, command }) as Clients[number]
/** Name, both clients, what is asked, what is answered. */
const calls: [string, Clients, object, string][] = [
  [
    'GetItem',
    [
      of(dynamodb.DynamoDBClient, dynamodb.GetItemCommand),
      of(slimDynamodb.DynamoDBClient, slimDynamodb.GetItemCommand),
    ],
    table,
    `{"Item":${itemAnswered}}`,
  ],
  [
    'PutItem',
    [
      of(dynamodb.DynamoDBClient, dynamodb.PutItemCommand),
      of(slimDynamodb.DynamoDBClient, slimDynamodb.PutItemCommand),
    ],
    { TableName: 'records', Item: item, ConditionExpression: 'attribute_not_exists(pk)', Expected: undefined },
    '{}',
  ],
  [
    'DeleteItem',
    [
      of(dynamodb.DynamoDBClient, dynamodb.DeleteItemCommand),
      of(slimDynamodb.DynamoDBClient, slimDynamodb.DeleteItemCommand),
    ],
    table,
    '{}',
  ],
  [
    'Query',
    [of(dynamodb.DynamoDBClient, dynamodb.QueryCommand), of(slimDynamodb.DynamoDBClient, slimDynamodb.QueryCommand)],
    { TableName: 'records', ExpressionAttributeValues: { ':b': { B: Buffer.from(bytes) } } },
    `{"Items":[${itemAnswered}],"Count":1,"LastEvaluatedKey":{"pk":{"S":"a"}}}`,
  ],
  [
    'SendMessage',
    [of(sqs.SQSClient, sqs.SendMessageCommand), of(slimSqs.SQSClient, slimSqs.SendMessageCommand)],
    { QueueUrl: queue, MessageBody: 'höre', DelaySeconds: 3, MessageGroupId: 'g', MessageAttributes: attributes },
    // By the hash the SDK compares what the queue received.
    `{"MessageId":"m","MD5OfMessageBody":"${createHash('md5').update('höre').digest('hex')}"}`,
  ],
  [
    'SendMessageBatch',
    [of(sqs.SQSClient, sqs.SendMessageBatchCommand), of(slimSqs.SQSClient, slimSqs.SendMessageBatchCommand)],
    { QueueUrl: queue, Entries: [{ Id: '1', MessageBody: 'höre' }] },
    `{"Successful":[{"Id":"1","MD5OfMessageBody":"${createHash('md5').update('höre').digest('hex')}"}],"Failed":[]}`,
  ],
  [
    'ChangeMessageVisibility',
    [
      of(sqs.SQSClient, sqs.ChangeMessageVisibilityCommand),
      of(slimSqs.SQSClient, slimSqs.ChangeMessageVisibilityCommand),
    ],
    { QueueUrl: queue, ReceiptHandle: 'r', VisibilityTimeout: 30 },
    '{}',
  ],
  [
    'DescribeCluster',
    [of(eks.EKSClient, eks.DescribeClusterCommand), of(slimEks.EKSClient, slimEks.DescribeClusterCommand)],
    { name: 'prod-1_a' },
    '{"cluster":{"name":"prod-1_a","createdAt":1764464400.25,"tags":{"a":"b"},"kubeApiServerConfig":{"serviceNodePortRange":{"minPort":1,"maxPort":2}}}}',
  ],
  [
    'DescribeAddon',
    [of(eks.EKSClient, eks.DescribeAddonCommand), of(slimEks.EKSClient, slimEks.DescribeAddonCommand)],
    { clusterName: 'prod', addonName: 'kube-proxy' },
    '{"addon":{"addonVersion":"v1","status":"ACTIVE","configurationValues":"{}"}}',
  ],
  [
    'ListUpdates',
    [of(eks.EKSClient, eks.ListUpdatesCommand), of(slimEks.EKSClient, slimEks.ListUpdatesCommand)],
    { name: 'prod', addonName: 'kube-proxy', maxResults: 100, nextToken: undefined },
    '{"updateIds":["a","b"]}',
  ],
  [
    'DescribeUpdate',
    [of(eks.EKSClient, eks.DescribeUpdateCommand), of(slimEks.EKSClient, slimEks.DescribeUpdateCommand)],
    { name: 'prod', updateId: 'a' },
    '{"update":{"id":"a","type":"VersionUpdate","status":"InProgress","createdAt":1764464400}}',
  ],
  [
    'ListClusters',
    [of(eks.EKSClient, eks.ListClustersCommand), of(slimEks.EKSClient, slimEks.ListClustersCommand)],
    { maxResults: 100, nextToken: 'a+/=' },
    '{"clusters":["a"],"nextToken":"b"}',
  ],
  [
    'AssumeRole',
    [of(sts.STSClient, sts.AssumeRoleCommand), of(slimSts.STSClient, slimSts.AssumeRoleCommand)],
    {
      RoleArn: 'arn:aws:iam::111122223333:role/a b',
      RoleSessionName: 's',
      ExternalId: 'x+y&z',
      DurationSeconds: 3600,
    },
    assumed,
  ],
  [
    'Publish',
    [of(sns.SNSClient, sns.PublishCommand), of(slimSns.SNSClient, slimSns.PublishCommand)],
    {
      TopicArn: 'arn:aws:sns:eu-west-1:1:t',
      Subject: 'a b',
      Message: '{"default":"ä+&"}',
      MessageAttributes: attributes,
    },
    '<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>',
  ],
  [
    'GetSecretValue',
    [
      of(secrets.SecretsManagerClient, secrets.GetSecretValueCommand),
      of(slimSecrets.SecretsManagerClient, slimSecrets.GetSecretValueCommand),
    ],
    { SecretId: 'arn:aws:secretsmanager:eu-west-1:1:secret:slack' },
    '{"SecretString":"https://hooks.example/ä"}',
  ],
  [
    'PutEvaluations',
    [
      of(config.ConfigServiceClient, config.PutEvaluationsCommand),
      of(slimConfig.ConfigServiceClient, slimConfig.PutEvaluationsCommand),
    ],
    {
      ResultToken: 't',
      Evaluations: [
        {
          ComplianceResourceType: 'AWS::EKS::Cluster',
          ComplianceResourceId: 'prod',
          ComplianceType: 'COMPLIANT',
          Annotation: undefined,
          OrderingTimestamp: new Date('2026-11-30T01:02:03.456Z'),
        },
      ],
    },
    '{"FailedEvaluations":[{"ComplianceResourceId":"prod"}]}',
  ],
  [
    'GetComplianceDetailsByConfigRule',
    [
      of(config.ConfigServiceClient, config.GetComplianceDetailsByConfigRuleCommand),
      of(slimConfig.ConfigServiceClient, slimConfig.GetComplianceDetailsByConfigRuleCommand),
    ],
    { ConfigRuleName: 'r', ComplianceTypes: ['COMPLIANT'], Limit: 100 },
    '{"EvaluationResults":[{"EvaluationResultIdentifier":{"EvaluationResultQualifier":{"ResourceType":"T","ResourceId":"prod"}}}],"NextToken":"n"}',
  ],
]

const services = ['DYNAMODB', 'SQS', 'EKS', 'STS', 'SNS', 'S3', 'SECRETS_MANAGER', 'CONFIG_SERVICE']
const before = { ...process.env }
const seen: Request[] = []
let reply: Answer
let server: Endpoint
beforeAll(async () => {
  server = await serve(async (request) => {
    seen.push(request)
    return reply
  })
  for (const it of services) process.env[`AWS_ENDPOINT_URL_${it}`] = server.url
})
beforeEach(() => void (seen.length = 0))
afterAll(async () => {
  process.env = before
  await server.close()
})

const options = { region: 'eu-west-1', credentials: async () => ({ accessKeyId: 'A', secretAccessKey: 'B' }) }

/** What the service received, and what the caller got. */
const tried = async ({ of: Of, command: Command }: Clients[number], input: object) => {
  seen.length = 0
  const client = new Of({ ...options, maxAttempts: 2 } as never)
  const whole = 'QueueUrl' in input ? { ...input, QueueUrl: `${server.url}${queue}` } : input
  const got = await client.send(new Command(whole as never) as never).catch((error: unknown) => error)
  const asked = seen.map(({ method, path, query, headers, body }) => ({
    method,
    path,
    query: Object.fromEntries(query),
    target: headers['x-amz-target'],
    type: headers['content-type'],
    signedFor: /Credential=A\/\d+\/([^,]*),/.exec(String(headers['authorization']))?.[1],
    attempt: headers['amz-sdk-request'],
    body: body.startsWith('{') ? (JSON.parse(body) as object) : Object.fromEntries(new URLSearchParams(body)),
  }))
  const { $metadata, ...answered } = got as { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  if (!(got instanceof Error)) return { asked, answered, status }
  return { asked, error: { name: got.name, message: got.message.replace(/\s*Deserialization error.*$/s, '') }, status }
}

describe.each(calls)('%s', (_, [whole, slim], input, body) => {
  test('is asked as the SDK asks it, and its answer is the same', async () => {
    reply = { status: 200, body }
    const expected = await tried(whole!, input)
    expect(expected).toMatchObject({ status: 200 })
    expect(await tried(slim!, input)).toEqual(expected)
  })
})

const inXml = (code: string, message: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`

const isXml = (name: string): boolean => name === 'AssumeRole' || name === 'Publish'

const refusals: [string, Omit<Answer, 'body'> & { json: string; xml?: string }][] = [
  [
    'a refusal by name',
    {
      status: 400,
      json: '{"__type":"com.amazonaws#AccessDenied","message":"not &amp; allowed"}',
      xml: inXml('AccessDenied', 'not &amp; &#39;allowed&#x27;'),
    },
  ],
  [
    'a refusal that is tried again',
    {
      status: 503,
      json: '{"__type":"ServiceUnavailable","message":"later"}',
      xml: inXml('ServiceUnavailable', 'later'),
    },
  ],
]

describe.each(
  calls.filter(([name]) =>
    ['GetItem', 'SendMessage', 'DescribeCluster', 'AssumeRole', 'Publish', 'GetSecretValue'].includes(name),
  ),
)('%s', (name, [whole, slim], input) => {
  test.each(refusals)('%s is the same error after as many attempts', async (_, { status, json, xml }) => {
    reply = { status, body: isXml(name) ? (xml ?? '') : json }
    const expected = await tried(whole!, input)
    expect(expected).toMatchObject({ status, asked: { length: status === 503 ? 2 : 1 } })
    expect(await tried(slim!, input)).toEqual(expected)
  })

  test('what something in between answers is an error with its status', async () => {
    reply = { status: 502, body: '<html>bad gateway' }
    expect(await tried(slim!, input)).toMatchObject({ status: 502, asked: { length: 2 } })
    if (isXml(name)) return
    reply = { status: 200, body: '<html>log in' }
    expect(await tried(slim!, input)).toMatchObject({ status: 200, error: { name: 'SyntaxError' } })
  })
})

test.each([true, false])('an object is put as the SDK puts it (endpoint of the environment: %s)', async (isNamed) => {
  const body = new Uint8Array([31, 139, 8, 0])
  const about = { ContentType: 'text/html; charset=utf-8', ContentEncoding: 'gzip', CacheControl: 'no-cache' }
  const input = { Bucket: 'reports', Key: 'reports/2026/11/30/fleet ä.html', Body: body, ...about }
  reply = { status: 200, body: '' }
  const asked: unknown[] = []
  for (const { of: Of, command: Command } of [
    of(s3.S3Client, s3.PutObjectCommand),
    of(slimS3.S3Client, slimS3.PutObjectCommand),
  ]) {
    // Where no endpoint is named, the bucket's host name is asked for: by what asks instead of the network.
    const requestHandler = { handle: async (request: Signed) => ({ response: answering(asked, request) }) }
    const client = new Of({ ...options, ...(!isNamed && { requestHandler }) } as never)
    if (isNamed) {
      seen.length = 0
      await client.send(new Command(input as never) as never)
      asked.push(seen.map(({ method, path, headers }) => ({ method, path, ...kept(headers) })))
    } else {
      const named = process.env['AWS_ENDPOINT_URL_S3']
      delete process.env['AWS_ENDPOINT_URL_S3']
      await client.send(new Command(input as never) as never)
      process.env['AWS_ENDPOINT_URL_S3'] = named
    }
  }
  expect(asked).toHaveLength(2)
  expect(asked[1]).toEqual(asked[0])
})

interface Signed {
  method: string
  protocol: string
  hostname: string
  path: string
  headers: Record<string, string>
}

const kept = (headers: object) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) =>
      ['content-type', 'content-encoding', 'cache-control', 'content-length'].includes(name),
    ),
  )

const answering = (asked: unknown[], { method, protocol, hostname, path, headers }: Signed) => {
  asked.push({ method, protocol, hostname, path, ...kept(headers) })
  return new HttpResponse({ statusCode: 200, headers: {}, body: Readable.from([]) })
}

test('a condition that fails is an error of its class', async () => {
  reply = {
    status: 400,
    body: '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}',
  }
  const put = new slimDynamodb.PutItemCommand({ TableName: 'records', Item: item })
  const failed = new slimDynamodb.DynamoDBClient(options).send(put)
  await expect(failed).rejects.toBeInstanceOf(slimDynamodb.ConditionalCheckFailedException)
  await expect(failed).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', message: 'no' })
})

test.each([
  'eu-west-1',
  'us-east-1',
  'cn-north-1',
  'us-gov-west-1',
  'us-gov-east-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
  'eusc-de-east-1',
])('in %s every service is where the SDK has it', (region) => {
  for (const it of services) delete process.env[`AWS_ENDPOINT_URL_${it}`]
  const place = { Region: region, UseFIPS: false, UseDualStack: false, UseGlobalEndpoint: false }
  const whole = {
    config: new config.ConfigServiceClient({ region }).config.endpointProvider(place),
    secretsmanager: new secrets.SecretsManagerClient({ region }).config.endpointProvider(place),
    sns: new sns.SNSClient({ region }).config.endpointProvider(place),
    s3: new s3.S3Client({ region }).config.endpointProvider(place),
    dynamodb: new dynamodb.DynamoDBClient({ region }).config.endpointProvider(place),
    sqs: new sqs.SQSClient({ region }).config.endpointProvider(place),
    eks: new eks.EKSClient({ region }).config.endpointProvider(place),
    sts: new sts.STSClient({ region }).config.endpointProvider(place),
  }
  for (const [service, { url }] of Object.entries(whole)) expect(endpointOf(service, region)).toBe(url.origin)
})
