import { randomUUID } from 'node:crypto'
import { buildApp } from 'fauxqs'
import { AwsError } from './aws-error.ts'
import { fairStores } from './fair-queue.ts'
import { type Fields, fieldsOf, numberOf, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'
import { moveMessages } from './move-task.ts'
import { type Delivery, deliveriesOf, type TopicSubscription } from './topics.ts'

export type Delays = Readonly<Record<string, (seconds: number) => number>>

export interface QueuesOptions {
  region: string
  keyring: Keyring
  /** By a queue's label: how long its messages wait that ask for a delay of so many seconds. */
  delays?: Delays
  /** `SendMessage`, `Publish`, … of every accepted signature. */
  onCall?(service: Service, operation: string, callerArn: string): void
  /** What SNS sends elsewhere than to a queue: an e-mail, a call to an https endpoint. */
  onDelivery?(delivery: Delivery): void
}

/** The lab's own way in: in process, without a signature. Throws on whatever is refused. */
export interface Fauxqs {
  /** `http://127.0.0.1:PORT`, for SQS, SNS and S3 alike. */
  url: string
  sqs: (action: string, input: Fields) => Promise<Fields>
  sns: (input: Record<string, string>) => Promise<Fields>
  /** An object's body; `undefined`: there is none of that key. */
  object: (bucket: string, key: string) => Promise<{ body: Buffer; type: string; encoding: string } | undefined>
  makeBucket: (bucket: string) => Promise<void>
  /** Pages that fauxqs has beside the API: `/_fauxqs/queues`. */
  look: (path: string) => Promise<unknown>
  stop: () => Promise<void>
}

/**
 * fauxqs with what it lacks: it asks for known keys, its standard queues are fair, dead letters can be moved back, and topics reach
 * `subscriptions` beside its queues. `delays`: by a queue's URL.
 */
export async function startFauxqs(
  options: QueuesOptions,
  subscriptions: TopicSubscription[],
  delays: ReadonlyMap<string, Delays[string]>,
): Promise<Fauxqs> {
  const { stores, hear } = fairStores()
  const app = buildApp({ logger: false, defaultRegion: options.region, stores })
  // Calls with this header come by way of `inject`, from the lab itself.
  const inside = randomUUID()
  app.addHook('preHandler', async ({ method, headers, body }, reply) => {
    const operation = isForS3(headers) ? { service: 's3' as const, name: method } : operationOf(headers, body)
    try {
      if (headers['x-lab'] !== inside) {
        const { credentials } = options.keyring.caller(headers)
        options.onCall?.(operation.service, operation.name, credentials.arn)
      }
      if (operation.service === 'sqs') hear(operation.name, body)
      if (operation.name === 'SendMessage') delay(fieldsOf(body), delays)
      if (operation.name === 'StartMessageMoveTask')
        return await reply.headers(typeOf(operation)).send(JSON.stringify(await moveMessages(sqs, fieldsOf(body))))
      if (operation.name === 'PublishBatch') throw new AwsError('InvalidAction', 400, 'The lab knows Publish only')
      if (operation.name === 'Publish')
        for (const delivery of deliveriesOf(fieldsOf(body), subscriptions)) options.onDelivery?.(delivery)
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      await reply.status(error.status).headers(typeOf(operation)).send(refusal(operation, error))
    }
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const own = { 'x-lab': inside, host: new URL(url).host }
  const inject = async (headers: Record<string, string>, request: { url: string; payload?: string }) => {
    const method = request.payload === undefined ? 'GET' : 'POST'
    const { statusCode, body } = await app.inject({ method, headers: { ...own, ...headers }, ...request })
    if (statusCode >= 400) throw new Error(`The lab's SQS and SNS: ${statusCode} ${body}`)
    return body
  }
  const call = async (headers: Record<string, string>, payload: string) =>
    parseFields(await inject(headers, { url: '/', payload })) ?? {}
  const sqs: Fauxqs['sqs'] = (action, input) => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
    return call(headers, JSON.stringify(input))
  }
  return {
    url,
    sqs,
    sns: (input) =>
      call({ 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams(input).toString()),
    makeBucket: async (bucket) => {
      const { statusCode, body } = await app.inject({ method: 'PUT', url: `/${bucket}`, headers: own })
      if (statusCode >= 400) throw new Error(`The lab's S3: ${statusCode} ${body}`)
    },
    object: async (bucket, key) => {
      const { statusCode, rawPayload, headers } = await app.inject({ url: `/${bucket}/${key}`, headers: own })
      if (statusCode !== 200) return undefined
      const [type, encoding] = [headers['content-type'], headers['content-encoding']]
      return { body: rawPayload, type: textOf(type) ?? '', encoding: textOf(encoding) ?? '' }
    },
    look: async (path) => JSON.parse(await inject({}, { url: path })),
    stop: () => app.close(),
  }
}

/** Puts another delay in place of the one that the message asks for. */
const delay = (message: Fields, delays: ReadonlyMap<string, Delays[string]>): void => {
  const [delayed, seconds] = [delays.get(String(message['QueueUrl'])), numberOf(message['DelaySeconds'])]
  if (delayed !== undefined && seconds !== undefined) message['DelaySeconds'] = delayed(seconds)
}

type Service = 'sqs' | 'sns' | 's3'

/** By what the signature is for, which the lab's own calls have none of. */
const isForS3 = ({ authorization }: Record<string, unknown>): boolean =>
  typeof authorization === 'string' && authorization.includes('/s3/aws4_request')

interface Operation {
  service: Service
  name: string
}

function operationOf(headers: Record<string, unknown>, body: unknown): Operation {
  const target = textOf(headers['x-amz-target'])
  if (target !== undefined) return { service: 'sqs', name: target.replace('AmazonSQS.', '') }
  return { service: 'sns', name: String(fieldsOf(body)['Action']) }
}

const typeOf = ({ service }: Operation) => ({
  'content-type': service === 'sqs' ? 'application/x-amz-json-1.0' : 'text/xml',
})

function refusal({ service }: Operation, { code, message }: AwsError): string {
  if (service === 'sqs') return JSON.stringify({ __type: `com.amazon.coral.service#${code}`, message })
  const own = code === 'UnrecognizedClientException' ? 'InvalidClientTokenId' : code
  if (service === 's3') return `<Error><Code>${own}</Code><Message>${message}</Message></Error>`
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${own}</Code><Message>${message}</Message></Error></ErrorResponse>`
}
