import { type Fields, fieldsOf, isFields, textOf } from '../../../lab/aws/json.ts'

/** Types that moto 5.2.5 passes over in a template: it says "No Moto CloudFormation support for …" and makes nothing. */
export const passedOver: readonly string[] = [
  'AWS::CloudWatch::Alarm',
  'AWS::Config::ConfigRule',
  'AWS::Events::EventBusPolicy',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::SubscriptionFilter',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::Schedule',
]

/** What moto does otherwise than CloudFormation, and how the template is written for it so that the rest can be shown. */
export interface Concession {
  what: string
  /** A template for which moto fails in this way, and what it then says; no error: the queue is not kept. */
  probe: { resources: Fields; error?: RegExp }
  write: (template: Fields) => Fields
}

export const concessions: readonly Concession[] = [
  {
    what: 'a FIFO queue without a name is given one that SQS refuses: it gets one here',
    probe: {
      resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } } },
      error: /Queue name must end in \.fifo for FIFO queues/,
    },
    write: (template) =>
      eachResource(template, (id, it) => {
        const properties = fieldsOf(it['Properties'])
        const isFifo = it['Type'] === 'AWS::SQS::Queue' && properties['FifoQueue'] === true
        return isFifo ? { ...it, Properties: { QueueName: `${id}.fifo`, ...properties } } : it
      }),
  },
  {
    what: 'Fn::GetAtt of a resource that is passed over fails: a text stands for it here',
    probe: {
      resources: {
        Alarm: { Type: 'AWS::CloudWatch::Alarm' },
        It: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { 'Fn::GetAtt': ['Alarm', 'Arn'] } } },
      },
      error: /Fn::GetAtt references undefined resource Alarm/,
    },
    write: (template) =>
      replaced(template, (it) => {
        const [id, attribute] = Array.isArray(it['Fn::GetAtt']) ? (it['Fn::GetAtt'] as string[]) : []
        const type = fieldsOf(fieldsOf(template['Resources'])[id ?? ''])['Type']
        return passedOver.includes(String(type)) ? `${id}.${attribute}` : undefined
      }) as Fields,
  },
  {
    what: 'Ref of a bus is not its name, and a rule on that bus is an internal error: the name is written out here',
    probe: {
      resources: {
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'probe' } },
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: { EventBusName: { Ref: 'Bus' }, EventPattern: { source: ['aws.eks'] } },
        },
      },
      error: /Internal Server Error/,
    },
    write: (template) => {
      const resources = fieldsOf(template['Resources'])
      const written = replaced(template, (it) => {
        const { Type, Properties } = fieldsOf(resources[textOf(it['Ref']) ?? ''])
        return Type === 'AWS::Events::EventBus' ? textOf(fieldsOf(Properties)['Name']) : undefined
      }) as Fields
      // What followed from the reference must now be said: the bus comes first.
      const [bus] = Object.keys(resources).filter((id) => fieldsOf(resources[id])['Type'] === 'AWS::Events::EventBus')
      return eachResource(written, (_, it) =>
        bus !== undefined && fieldsOf(it['Properties'])['EventBusName'] !== undefined
          ? { ...it, DependsOn: [bus] }
          : it,
      )
    },
  },
  {
    what: 'DeletionPolicy RetainExceptOnCreate is not known and taken for Delete: Retain stands here',
    probe: { resources: { Queue: { Type: 'AWS::SQS::Queue', DeletionPolicy: 'RetainExceptOnCreate' } } },
    write: (template) =>
      eachResource(template, (_, it) =>
        it['DeletionPolicy'] === 'RetainExceptOnCreate' ? { ...it, DeletionPolicy: 'Retain' } : it,
      ),
  },
]

const eachResource = (template: Fields, write: (id: string, resource: Fields) => Fields): Fields => {
  const entries = Object.entries(fieldsOf(template['Resources'])).map(([id, it]) => [id, write(id, fieldsOf(it))])
  return { ...template, Resources: Object.fromEntries(entries) as Fields }
}

/** Every object for which there is something else, wherever it stands. */
const replaced = (value: unknown, other: (it: Fields) => unknown): unknown => {
  if (Array.isArray(value)) return value.map((it) => replaced(it, other))
  if (!isFields(value)) return value
  const entries = Object.entries(value).map(([key, it]) => [key, replaced(it, other)])
  return other(value) ?? Object.fromEntries(entries)
}
