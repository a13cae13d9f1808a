import type { Fields } from './json.ts'

/** Where the stack runs: what CloudFormation's pseudo parameters say, and where the queues listen. */
export interface Surroundings {
  account: string
  region: string
  stackName: string
  /** `http://127.0.0.1:PORT` of SQS and SNS. */
  queuesUrl: string
}

/** What `Ref` and `Fn::GetAtt` give for a resource. */
export interface Physical {
  name: string
  ref: string
  arn: string
  attributes: Record<string, string>
}

/** The account in which fauxqs keeps its queues and topics; it has no other. */
export const queueAccount = '000000000000'

interface PhysicalIds {
  ref?: string
  arn: string
  attributes?: Record<string, string>
}
type Naming = (name: string, at: Surroundings) => PhysicalIds

const arn =
  (service: string, resource: string): Naming =>
  (name, { region, account }) => ({
    arn: `arn:aws:${service}:${region}:${account}:${resource}${name}`,
  })

/** By type: the property that names it, and how ARN and `Ref` follow from the name. */
const types: Record<string, [nameProperty: string, Naming]> = {
  'AWS::SQS::Queue': [
    'QueueName',
    (name, { region, queuesUrl }) => {
      const ref = `${queuesUrl}/${queueAccount}/${name}`
      return {
        ref,
        arn: `arn:aws:sqs:${region}:${queueAccount}:${name}`,
        attributes: { QueueName: name, QueueUrl: ref },
      }
    },
  ],
  'AWS::SNS::Topic': [
    'TopicName',
    (name, { region }) => {
      const ref = `arn:aws:sns:${region}:${queueAccount}:${name}`
      return { ref, arn: ref, attributes: { TopicArn: ref, TopicName: name } }
    },
  ],
  'AWS::SecretsManager::Secret': [
    'Name',
    (name, at) => {
      const { arn: ref } = arn('secretsmanager', 'secret:')(`${name}-LabLab`, at)
      return { ref, arn: ref, attributes: { Id: ref } }
    },
  ],
  'AWS::IAM::Role': ['RoleName', (name, { account }) => ({ arn: `arn:aws:iam::${account}:role/${name}` })],
  'AWS::Lambda::Function': ['FunctionName', arn('lambda', 'function:')],
  // No two buckets in the world share a name, and none has a capital letter.
  'AWS::S3::Bucket': ['BucketName', (name) => ({ ref: name.toLowerCase(), arn: `arn:aws:s3:::${name.toLowerCase()}` })],
  'AWS::DynamoDB::Table': ['TableName', arn('dynamodb', 'table/')],
  'AWS::Events::Rule': ['Name', arn('events', 'rule/')],
  'AWS::Events::EventBus': ['Name', arn('events', 'event-bus/')],
  'AWS::Scheduler::Schedule': ['Name', arn('scheduler', 'schedule/default/')],
  'AWS::Logs::LogGroup': ['LogGroupName', arn('logs', 'log-group:')],
  'AWS::KMS::Key': ['KeyId', arn('kms', 'key/')],
  'AWS::SSM::Parameter': [
    'Name',
    (name, { account, region }) => ({ arn: `arn:aws:ssm:${region}:${account}:parameter${name}` }),
  ],
  'AWS::CloudWatch::Alarm': ['AlarmName', arn('cloudwatch', 'alarm:')],
}

/** A resource of a type not listed still has a name and an ARN, so that whatever mentions it can be resolved. */
export function physicalOf(type: string, logicalId: string, names: Fields, at: Surroundings): Physical {
  const [nameProperty, naming] = types[type] ?? ['Name', arn('lab', `${type.toLowerCase().replaceAll('::', '-')}/`)]
  const given = names[nameProperty]
  const suffix = type === 'AWS::SQS::Queue' && isTrue(names['FifoQueue']) ? '.fifo' : ''
  const name = typeof given === 'string' ? given : `${at.stackName}-${logicalId}${suffix}`
  const { ref = name, arn: own, attributes = {} } = naming(name, at)
  return { name, ref, arn: own, attributes: { Arn: own, Name: name, ...attributes } }
}

export const isTrue = (value: unknown): boolean => value === true || value === 'true'
