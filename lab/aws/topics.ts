import { AwsError } from './aws-error.ts'
import { matchesPattern } from './event-pattern.ts'
import { asText, type Fields, fieldsOf, parseFields, textOf } from './json.ts'
import type { Resource, Stack } from './template.ts'

export interface TopicSubscription {
  topicArn: string
  protocol: string
  endpoint: string
  /** `RawMessageDelivery`, `FilterPolicy` (JSON), `FilterPolicyScope`: those the template gives. */
  attributes: Record<string, string>
}

/** What SNS sent to a subscriber that is no queue: an e-mail, for instance. */
export interface Delivery {
  protocol: string
  endpoint: string
  topicArn: string
  subject?: string
  message: string
}

/** Both ways of saying it: resources of their own, and the topic's own list. */
export function subscriptionsOf(stack: Stack): TopicSubscription[] {
  const own = stack
    .ofType('AWS::SNS::Subscription')
    .map(({ properties }) => subscriptionOf(properties['TopicArn'], properties))
  const inline = stack.ofType('AWS::SNS::Topic').flatMap(({ arn, properties }: Resource) => {
    const list = Array.isArray(properties['Subscription']) ? properties['Subscription'] : []
    return list.map((item: unknown) => subscriptionOf(arn, fieldsOf(item)))
  })
  const all = [...own, ...inline]
  const lambda = all.find(({ protocol }) => protocol === 'lambda')
  if (lambda !== undefined) throw new Error(`${lambda.topicArn}: the lab's SNS reaches functions through queues only.`)
  return all
}

function subscriptionOf(topicArn: unknown, properties: Fields): TopicSubscription {
  const names = ['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope']
  const given = names.flatMap((name) => {
    const value = properties[name]
    return value === undefined ? [] : [[name, asText(value)] as const]
  })
  const [protocol, endpoint] = [String(properties['Protocol']), String(properties['Endpoint'])]
  return { topicArn: String(topicArn), protocol, endpoint, attributes: Object.fromEntries(given) }
}

/**
 * What a Publish sends to subscribers that are no queues. With `MessageStructure: json` each protocol has its own text, which fauxqs
 * does not know: the call's `Message` becomes the queues' text on the way to it.
 */
export function deliveriesOf(publish: Fields, subscriptions: TopicSubscription[]): Delivery[] {
  const message = String(publish['Message'])
  const texts = publish['MessageStructure'] === 'json' ? parseFields(message) : { default: message }
  const fallback = textOf(texts?.['default'])
  if (texts === undefined || fallback === undefined)
    throw new AwsError('InvalidParameter', 400, 'Message Structure - No default entry in JSON message body')
  publish['Message'] = textOf(texts['sqs']) ?? fallback
  const subject = textOf(publish['Subject'])
  const attributes = attributesOf(publish)
  return subscriptions
    .filter(
      (subscription) => subscription.topicArn === publish['TopicArn'] && wants(subscription, attributes, fallback),
    )
    .map(({ protocol, endpoint, topicArn }) => {
      const text = textOf(texts[protocol]) ?? fallback
      return { protocol, endpoint, topicArn, message: text, ...(subject !== undefined && { subject }) }
    })
}

function wants({ attributes: own }: TopicSubscription, attributes: Fields, body: string): boolean {
  const policy = parseFields(own['FilterPolicy'] ?? '')
  if (policy === undefined) return true
  return matchesPattern(policy, own['FilterPolicyScope'] === 'MessageBody' ? parseFields(body) : attributes)
}

/** `MessageAttributes.entry.1.Name`, `….Value.DataType`, `….Value.StringValue` of SNS's query protocol. */
function attributesOf(publish: Fields): Fields {
  const attributes: Fields = {}
  for (let index = 1; ; index += 1) {
    const entry = (part: string) => textOf(publish[`MessageAttributes.entry.${index}.${part}`])
    const [name, type, value] = [entry('Name'), entry('Value.DataType'), entry('Value.StringValue')]
    if (name === undefined) return attributes
    if (type === 'Number') attributes[name] = Number(value)
    else attributes[name] = type === 'String.Array' ? JSON.parse(value ?? '[]') : value
  }
}
