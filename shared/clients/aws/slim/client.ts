import { HttpRequest } from '@smithy/core/protocols'
import { resolveRetryConfig, retryMiddleware } from '@smithy/core/retry'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { SignatureV4 } from '@smithy/signature-v4'
import { type AwsCredentials, type CredentialsProvider, stsHost } from '../eks-token.ts'
import { Sha256 } from '../sha256.ts'
import { type Refusing, refusalOf, unread } from './refusal.ts'

/** A call as the SDK's commands are made: `new GetItemCommand({ … })`. */
export interface Operation {
  readonly name: string
  readonly path: string
  readonly input: Record<string, unknown>
}

export const operation = (name: string, path = '/') =>
  class implements Operation {
    readonly name = name
    readonly path = path
    readonly input: Record<string, unknown>
    constructor(input: Record<string, unknown>) {
      this.input = input
    }
  }

export interface Sent {
  method?: string
  path?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Instead of the service's endpoint. */
  at?: string
}

/** How a service is spoken to. */
export interface Protocol extends Refusing {
  /** As in host names and signatures. */
  service: string
  /** As the SDK names it, and in `AWS_ENDPOINT_URL_…`. */
  serviceId: string
  /** `region`: for an endpoint that is not the service's own. */
  request: (call: Operation, region: string) => Sent
  /** Absent: true. Escaped in the signature once more. */
  escapesPath?: false
  answer: (text: string) => object
}

interface Configuration {
  region?: string
  credentials?: CredentialsProvider
  requestHandler?: object
  maxAttempts?: number
  retryMode?: string
}

type Send = (call: Operation, options?: { abortSignal?: AbortSignal }) => Promise<object>
type Step = (args: Attempted) => Promise<Answered>
type Middleware = (next: Step) => Step
interface Attempted {
  input: object
  request: HttpRequest
}
interface Answered {
  response: unknown
  output: { $metadata: object }
}

/** Lambda passes them in the environment, for as long as it keeps the process. */
const ofTheEnvironment = async (): Promise<AwsCredentials> => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY)
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    }
  throw Object.assign(new Error('There are no credentials in the environment.'), { name: 'CredentialsProviderError' })
}

/** The endpoint that the environment names. */
export const namedEndpoint = ({ serviceId }: Pick<Protocol, 'serviceId'>): string | undefined =>
  process.env[`AWS_ENDPOINT_URL_${serviceId.toUpperCase().replace(' ', '_')}`] ||
  process.env['AWS_ENDPOINT_URL'] ||
  undefined

/** Of a service in a region, in its partition's domain. */
export const endpointOf = (service: string, region: string): string =>
  `https://${stsHost(region).replace(/^sts/, service)}`

/**
 * A client as the SDK's, of which it uses signatures, retries and connections: for a service whose few calls are JSON or a
 * form, the SDK's description of all its calls, and what interprets it, would be most of a function.
 */
export const clientOf = (protocol: Protocol) =>
  class {
    readonly config: { serviceId: string; credentials: CredentialsProvider }
    readonly middlewareStack: { add: (middleware: Middleware, at?: { step?: string }) => void }
    readonly send: Send

    constructor({ credentials = ofTheEnvironment, ...given }: Configuration) {
      const around: Middleware[] = []
      const within: Middleware[] = []
      const add = (middleware: Middleware, at?: { step?: string }) =>
        void (at?.step === 'finalizeRequest' ? within : around).push(middleware)
      this.config = { serviceId: protocol.serviceId, credentials }
      this.middlewareStack = { add }
      this.send = sending(protocol, { ...given, credentials }, { around, within })
    }
  }

/** Signed for each attempt, for its time and the credentials of then. */
function sending(
  protocol: Protocol,
  { region = process.env['AWS_REGION'] ?? '', credentials, requestHandler, ...retries }: Configuration,
  { around, within }: Record<'around' | 'within', Middleware[]>,
): Send {
  const { service, escapesPath: uriEscapePath = true } = protocol
  const identity = credentials ?? ofTheEnvironment
  const signer = new SignatureV4({ credentials: identity, region, service, sha256: Sha256, uriEscapePath })
  const handler = NodeHttpHandler.create(requestHandler)
  const retried = retryMiddleware(resolveRetryConfig(retries as Parameters<typeof resolveRetryConfig>[0]))
  return async (call, { abortSignal } = {}) => {
    const once: Step = async ({ request }) => {
      const signed = new HttpRequest(await signer.sign(request))
      const { response } = await handler.handle(signed, abortSignal && { abortSignal })
      return { response, output: await outputOf(protocol, response) }
    }
    const context = { __smithy_context: { abortSignal } } as object
    const attempts = retried(wrapped(once, within) as never, context as never) as unknown as Step
    const { output } = await wrapped(
      attempts,
      around,
    )({ input: call.input, request: requestOf(protocol, call, region) })
    return output
  }
}

const wrapped = (step: Step, by: readonly Middleware[]): Step => by.reduce((next, it) => it(next), step)

function requestOf(of: Protocol, call: Operation, region: string): HttpRequest {
  const { method = 'POST', path = '/', query = {}, headers, body, at } = of.request(call, region)
  const { protocol, hostname, port, host } = new URL(at ?? namedEndpoint(of) ?? endpointOf(of.service, region))
  const { AWS_LAMBDA_FUNCTION_NAME: name, _X_AMZN_TRACE_ID: trace } = process.env
  return new HttpRequest({
    method,
    protocol,
    hostname,
    ...(port && { port: Number(port) }),
    path,
    query,
    headers: {
      host,
      'user-agent': 'calico-ipvs-sync',
      // By it Lambda recognizes a function that calls itself through queues.
      ...(name && trace && { 'x-amzn-trace-id': trace }),
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    body,
  })
}

interface Response {
  statusCode: number
  headers: Record<string, string>
  body?: AsyncIterable<Buffer>
}

async function outputOf(protocol: Protocol, response: Response): Promise<Answered['output']> {
  const { statusCode: httpStatusCode, headers } = response
  const $metadata = { httpStatusCode, requestId: headers['x-amzn-requestid'] }
  try {
    const pieces: Buffer[] = []
    for await (const piece of response.body ?? []) pieces.push(piece)
    const text = Buffer.concat(pieces).toString('utf8')
    if (httpStatusCode < 300) return { ...protocol.answer(text), $metadata }
    throw refusalOf(protocol, { text, headers, httpStatusCode })
  } catch (error) {
    throw unread(error, { $metadata, response })
  }
}
