import { labelOf, type Limit, type Synthesized } from './limit.ts'

const largest = { resources: 500, bytes: 1_000_000, outputs: 200 }

const counted = ({ resources }: Synthesized): string => {
  const types = Map.groupBy(Object.values(resources), ({ Type }) => Type)
  const most = [...types].map(([type, all]) => ({ type, count: all.length })).toSorted((a, b) => b.count - a.count)
  return most
    .slice(0, 3)
    .map(({ type, count }) => `${count} ${type}`)
    .join(', ')
}

/** Fixed names for which the limit of AWS is shorter than for a stack's name. */
const names: Record<string, [property: string, most: number]> = {
  'AWS::IAM::Role': ['RoleName', 64],
  'AWS::Lambda::Function': ['FunctionName', 64],
  'AWS::SQS::Queue': ['QueueName', 80],
  'AWS::SNS::Topic': ['TopicName', 256],
  'AWS::DynamoDB::Table': ['TableName', 255],
  'AWS::S3::Bucket': ['BucketName', 63],
  'AWS::Events::EventBus': ['Name', 256],
  'AWS::Events::Rule': ['Name', 64],
  'AWS::Scheduler::Schedule': ['Name', 64],
  'AWS::CloudWatch::Alarm': ['AlarmName', 255],
  'AWS::CloudWatch::Dashboard': ['DashboardName', 255],
  'AWS::Config::ConfigRule': ['ConfigRuleName', 128],
  'AWS::SSM::Parameter': ['Name', 1_011],
}

export const ofStack: Limit[] = [
  {
    quota: 'Resources in a template: 500',
    faults: (stack) => {
      const count = Object.keys(stack.resources).length
      if (count <= largest.resources) return []
      return [
        `The stack would have ${count} resources and CloudFormation takes 500; most are ${counted(stack)}. Use the address of a mailing list in \`emails\`, and disable features that you do not use.`,
      ]
    },
  },
  {
    quota: 'Template body in S3: 1 MB',
    faults: ({ bytes }) =>
      bytes <= largest.bytes
        ? []
        : [
            `The template would have ${bytes} bytes and CloudFormation takes ${largest.bytes}. List fewer roles in \`accounts\`, fewer addresses in \`emails\`, shorter \`tags\`.`,
          ],
  },
  {
    quota: 'Outputs in a template: 200',
    faults: ({ outputs }) =>
      outputs <= largest.outputs
        ? []
        : [
            `The stack would have ${outputs} outputs and CloudFormation allows 200. Disable features that you do not use.`,
          ],
  },
  {
    quota: 'Lengths of names',
    faults: ({ resources }) =>
      Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
        const [property = '', most = 0] = names[Type] ?? []
        const name = Properties[property]
        if (typeof name !== 'string' || name.length <= most) return []
        return [
          `${labelOf(id)} would be called ${name}, of ${name.length} characters, and AWS takes ${most} for ${Type}. Choose a shorter \`stackName\`.`,
        ]
      }),
  },
]
