import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { parseConfig } from '../../infra/config.ts'
import { account, deployment, everything, list, region, statementsOf } from './deployment.ts'

const kmsKeyArn = `arn:aws:kms:${region}:${account}:key/0a1b2c3d-0000-1111-2222-333344445555`
interface Let {
  Principal: { Service: string | string[] }
  Action: string[]
  Condition?: object
}
const documented = (): Let[] => {
  const page = readFileSync(join(root, 'docs/deploy.md'), 'utf8')
  const [, text = '{}'] = /```json kms-key-policy\n([^]*?)```/.exec(page) ?? []
  return (JSON.parse(text) as { Statement: Let[] }).Statement
}
const secretKmsKeyArn = `arn:aws:kms:${region}:${account}:key/99999999-0000-1111-2222-333344445555`

describe('a key of the customer', () => {
  const stack = deployment({ ...everything, clusters: [], kmsKeyArn, secretKmsKeyArn })
  const all = (type: string, property: string) => stack.ofType(type).map(({ properties }) => properties[property])

  test('is that of the table, of every queue and topic and log group, of the reports, and the stack makes none', () => {
    expect(all('AWS::S3::Bucket', 'BucketEncryption')).toEqual([
      {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKeyArn },
          },
        ],
      },
    ])
    expect(all('AWS::DynamoDB::Table', 'SSESpecification')).toEqual([
      { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKeyArn },
    ])
    for (const [type, property] of [
      ['AWS::SQS::Queue', 'KmsMasterKeyId'],
      ['AWS::SNS::Topic', 'KmsMasterKeyId'],
      ['AWS::Logs::LogGroup', 'KmsKeyId'],
    ] as const) {
      expect(all(type, property).length).toBeGreaterThan(0)
      expect(new Set(all(type, property))).toEqual(new Set([kmsKeyArn]))
    }
    expect(stack.ofType('AWS::KMS::Key')).toEqual([])
  })

  test('is that of the bus, where there is one', () =>
    expect(all('AWS::Events::EventBus', 'KmsKeyIdentifier')).toEqual([kmsKeyArn]))

  test('may be used by every role, and only by way of the services that keep something', () => {
    const roles = stack.ofType('AWS::IAM::Role').map(({ logicalId }) => logicalId.slice(0, -8))
    for (const role of roles) {
      const using = statementsOf(stack, role).filter(
        ({ Resource, Action }) => list(Resource).includes(kmsKeyArn) && list(Action).includes('kms:DescribeKey'),
      )
      expect([role, using.map(({ Condition }) => Condition)]).toEqual([
        role,
        [
          {
            StringEquals: {
              'kms:ViaService': ['sqs', 'sns', 'dynamodb', 's3', 'secretsmanager'].map(
                (it) => `${it}.${region}.amazonaws.com`,
              ),
            },
          },
        ],
      ])
    }
  })

  test('of a secret may be used by what reads the secret, and by nothing else', () => {
    const roles = stack.ofType('AWS::IAM::Role').map(({ logicalId }) => logicalId.slice(0, -8))
    const using = roles.filter((role) =>
      statementsOf(stack, role).some(({ Resource }) => list(Resource).includes(secretKmsKeyArn)),
    )
    expect(using).toEqual(['NotifySlackRole'])
  })

  test('must let in the services that docs/deploy.md names: those that send to queues and topics, and the logs', () => {
    const named = documented().flatMap(({ Principal }) => list(Principal.Service))
    const senders = ['AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy']
      .flatMap((type) => all(type, 'PolicyDocument'))
      .flatMap((it) => (it as { Statement: { Effect: string; Principal: { Service?: string } }[] }).Statement)
      .flatMap(({ Effect, Principal }) => (Effect === 'Allow' && Principal.Service ? [Principal.Service] : []))
    // The alarms' own topic lets CloudWatch publish; Lambda and Scheduler send in the name of roles.
    expect(new Set(named)).toEqual(new Set([...senders, 'logs.REGION.amazonaws.com']))
  })

  test('may be used by EventBridge without a condition that its calls cannot meet, to describe the key of the bus too', () => {
    const [bridge, ...others] = documented().filter(({ Principal }) => Principal.Service === 'events.amazonaws.com')
    expect([bridge?.Condition, others]).toEqual([undefined, []])
    expect(bridge?.Action).toContain('kms:DescribeKey')
  })

  test('of another region is refused', () => {
    const elsewhere = kmsKeyArn.replace(region, 'us-east-1')
    expect(() => parseConfig({ env: everything.env, kmsKeyArn: elsewhere })).toThrow(
      /kmsKeyArn[^]*|is of us-east-1, and the stack is in eu-west-1/,
    )
  })
})

describe('endpoints in the VPC', () => {
  const vpc = {
    ...everything.vpc,
    endpoints: { vpcId: 'vpc-0a', routeTableIds: ['rtb-0a'] },
  }
  const stack = deployment({ ...everything, clusters: [], vpc })
  const made = stack.ofType('AWS::EC2::VPCEndpoint').map(({ properties }) => properties)

  test('are those of the services that the functions in it call, and DynamoDB by its gateway', () => {
    expect(made.map(({ ServiceName }) => String(ServiceName).split('.').at(-1) ?? '').toSorted()).toEqual([
      'dynamodb',
      'eks',
      'monitoring',
      'sqs',
      'ssm',
      'sts',
    ])
    expect(made.find(({ VpcEndpointType }) => VpcEndpointType === 'Gateway')?.['RouteTableIds']).toEqual(['rtb-0a'])
  })

  test('are those that docs/deploy.md names and counts', () => {
    const page = readFileSync(join(root, 'docs/deploy.md'), 'utf8')
    const [, always = '', onAlarms = ''] = /\(([A-Z, ]+); (CloudWatch) where/.exec(page) ?? []
    const named = [...always.toLowerCase().split(', '), onAlarms.replace('CloudWatch', 'monitoring')]
    const interfaces = made.filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface')
    const services = interfaces.map(({ ServiceName }) => String(ServiceName).split('.').at(-1))
    expect(new Set(named)).toEqual(new Set(services))
    expect(page).toContain(
      `with \`vpc.endpoints\`: ${interfaces.length - 1}, ${interfaces.length} with \`pauseOnAlarms\``,
    )
  })

  test('cover every service that the roles of those functions name', () => {
    const own = /^(logs|xray|ec2|kms)$/
    const called = ['EvaluateRole', 'RolloutStepRole']
      .flatMap((role) => statementsOf(stack, role))
      .flatMap(({ Action }) => list(Action).map((action) => action.split(':')[0] ?? ''))
      .filter((service) => !own.test(service))
      .map((service) => service.replace('cloudwatch', 'monitoring'))
    const there = made.map(({ ServiceName }) => String(ServiceName).split('.').at(-1))
    expect(new Set(called)).toEqual(new Set(there))
  })

  test('let in the functions on 443, and nobody else', () => {
    const [door] = stack.ofType('AWS::EC2::SecurityGroup')
    expect(door?.properties['SecurityGroupIngress']).toEqual([
      expect.objectContaining({
        FromPort: 443,
        ToPort: 443,
        SourceSecurityGroupId: everything.vpc.securityGroupIds[0],
      }),
    ])
  })

  test('are not made unless asked for', () => {
    expect(deployment(everything).ofType('AWS::EC2::VPCEndpoint')).toEqual([])
  })
})
