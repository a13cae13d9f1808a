import { fieldsOf, listOf, parseFields } from '../../../lab/aws/json.ts'

/** One call of an API as it goes over the wire: of a REST path, of a JSON target, or of a form. */
export interface Request {
  service: string
  path?: string
  target?: string
  form?: string
  body?: object
}
/** Answers the text; throws where it is refused. */
export type Ask = (request: Request) => Promise<string>

/** How all resources of one type are listed, whoever made them. */
export interface Kind {
  type: string
  list: (ask: Ask) => Promise<string[]>
}

/** The texts in a list of a JSON answer, or one field of what is listed. */
const namesIn = (text: string, list: string, field?: string): string[] =>
  listOf(parseFields(text)?.[list]).map((it) => String(field === undefined ? it : fieldsOf(it)[field]))

const json =
  (request: Request, list: string, field?: string): Kind['list'] =>
  async (ask) =>
    namesIn(await ask(request), list, field)

const xml =
  (request: Request, tag: string): Kind['list'] =>
  async (ask) =>
    [...(await ask(request)).matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, name = '']) => name)

const form = (service: string, action: string, version: string): Request => ({
  service,
  form: `Action=${action}&Version=${version}`,
})
const kms = (operation: string): Request => ({ service: 'kms', target: `TrentService.${operation}` })
const events = (operation: string, body = {}): Request => ({
  service: 'events',
  target: `AWSEvents.${operation}`,
  body,
})

/** Keys of AWS's own services come and go as those please. */
const ownKeys: Kind['list'] = async (ask) => {
  const aliases = listOf(parseFields(await ask(kms('ListAliases')))?.['Aliases']).map(fieldsOf)
  const ofServices = aliases.filter((it) => String(it['AliasName']).startsWith('alias/aws/'))
  const keys = namesIn(await ask(kms('ListKeys')), 'Keys', 'KeyId')
  return keys.filter((key) => !ofServices.some((it) => it['TargetKeyId'] === key))
}

const buses = json(events('ListEventBuses'), 'EventBuses', 'Name')

const rulesOfEachBus: Kind['list'] = async (ask) => {
  const names = []
  for (const bus of await buses(ask)) {
    const rules = namesIn(await ask(events('ListRules', { EventBusName: bus })), 'Rules', 'Name')
    names.push(...rules.map((rule) => `${bus}/${rule}`))
  }
  return names
}

/** Everything that the templates make, and secrets, which they name. What goes with its owner, such as a role's policies, is not listed. */
export const kinds: readonly Kind[] = [
  {
    type: 'AWS::DynamoDB::Table',
    list: json({ service: 'dynamodb', target: 'DynamoDB_20120810.ListTables' }, 'TableNames'),
  },
  { type: 'AWS::KMS::Key', list: ownKeys },
  { type: 'AWS::S3::Bucket', list: xml({ service: 's3', path: '/' }, 'Name') },
  {
    type: 'AWS::Logs::LogGroup',
    list: json({ service: 'logs', target: 'Logs_20140328.DescribeLogGroups' }, 'logGroups', 'logGroupName'),
  },
  { type: 'AWS::SQS::Queue', list: json({ service: 'sqs', target: 'AmazonSQS.ListQueues' }, 'QueueUrls') },
  { type: 'AWS::SNS::Topic', list: xml(form('sns', 'ListTopics', '2010-03-31'), 'TopicArn') },
  {
    type: 'AWS::Lambda::Function',
    list: json({ service: 'lambda', path: '/2015-03-31/functions/' }, 'Functions', 'FunctionName'),
  },
  {
    type: 'AWS::Lambda::EventSourceMapping',
    list: json({ service: 'lambda', path: '/2015-03-31/event-source-mappings/' }, 'EventSourceMappings', 'UUID'),
  },
  { type: 'AWS::IAM::Role', list: xml(form('iam', 'ListRoles&MaxItems=1000', '2010-05-08'), 'RoleName') },
  { type: 'AWS::Events::EventBus', list: buses },
  { type: 'AWS::Events::Rule', list: rulesOfEachBus },
  {
    type: 'AWS::SSM::Parameter',
    list: json({ service: 'ssm', target: 'AmazonSSM.DescribeParameters' }, 'Parameters', 'Name'),
  },
  {
    type: 'AWS::SecretsManager::Secret',
    list: json({ service: 'secretsmanager', target: 'secretsmanager.ListSecrets' }, 'SecretList', 'Name'),
  },
  { type: 'AWS::CloudWatch::Alarm', list: xml(form('monitoring', 'DescribeAlarms', '2010-08-01'), 'AlarmName') },
  {
    type: 'AWS::CloudWatch::Dashboard',
    list: xml(form('monitoring', 'ListDashboards', '2010-08-01'), 'DashboardName'),
  },
]
