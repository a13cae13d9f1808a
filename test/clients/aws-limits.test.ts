import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EKSClient, ListClustersCommand } from '@aws-sdk/client-eks'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { bounded, inTime, limited, remembering } from '../../shared/clients/aws/limits.ts'
import { eksClient } from '../../shared/clients/aws/eks.ts'
import { listClusters } from '../../shared/clients/aws/list-clusters.ts'
import { failureOf } from '../../shared/domain/read.ts'
import { dripping, refusing, silent, unwell } from '../unwell/endpoints.ts'

/** AWS as it is when it is not well: which call it was is known within fifteen seconds, on the command line and in a Lambda alike. */
const seconds = 15
const credentials = { accessKeyId: 'A', secretAccessKey: 'B' }
const { serve, dropping, close } = unwell()

/** Each is asked at the same time as the others; how long it took, and what is known then. */
const ways: Record<string, () => Promise<string>> = {
  'drops every SYN': dropping,
  'takes the request and never answers': () => serve(silent),
  'drips its answer': () => serve(dripping),
  'answers 429 for minutes': () => serve(refusing(429, 'ThrottlingException')),
  'answers 503 for minutes': () => serve(refusing(503, 'ServiceUnavailableException')),
  'answers 503 and asks to wait for ten minutes': () =>
    serve(refusing(503, 'ServiceUnavailableException', { 'retry-after': '600' })),
  'does not listen': async () => 'http://127.0.0.1:9',
}
/** Where it is not silence. */
const says: Record<string, RegExp> = {
  'answers 429 for minutes': /ThrottlingException/,
  'answers 503 for minutes': /ServiceUnavailableException/,
  'answers 503 and asks to wait for ten minutes': /ServiceUnavailableException/,
  'does not listen': /ECONNREFUSED/,
}
const seen = new Map<string, { took: number; failure: ReturnType<typeof failureOf> }>()

const client = (endpoint: string) =>
  bounded(new SQSClient({ region: 'eu-west-1', endpoint, credentials, ...limited, maxAttempts: 2 }))
const send = (sdk: SQSClient) => sdk.send(new SendMessageCommand({ QueueUrl: 'http://x/1/q', MessageBody: 'x' }))
/** The list of clusters, for which a function has most of a minute. */
const listed = new Map<string, typeof seen extends Map<string, infer It> ? It : never>()
const listFrom = async (way: string, endpoint: string): Promise<void> => {
  const sdk = remembering(new EKSClient({ region: 'eu-west-1', endpoint, credentials, ...limited, maxAttempts: 5 }))
  const began = Date.now()
  const failure = failureOf(await listClusters(sdk))
  listed.set(way, { took: (Date.now() - began) / 1_000, failure })
  sdk.destroy()
}
/** How a function's client failed, and after how many seconds. */
const sent = new Map<string, { took: number; error: unknown }>()
const sendTo = async (way: string, endpoint: string): Promise<void> => {
  const sdk = client(endpoint)
  const began = Date.now()
  const error: unknown = await send(sdk).then(
    () => undefined,
    (failed: unknown) => failed,
  )
  sent.set(way, { took: (Date.now() - began) / 1_000, error })
  sdk.destroy()
}

beforeAll(async () => {
  await Promise.all([
    sendTo('drips', await serve(dripping)),
    sendTo('drops', await dropping()),
    listFrom('drips', await serve(dripping)),
    listFrom('drops', await dropping()),
    listFrom('never answers', await serve(silent)),
    ...Object.entries(ways).map(async ([way, start]) => {
      const endpoint = await start()
      const sdk = remembering(new EKSClient({ region: 'eu-west-1', endpoint, credentials, ...limited, maxAttempts: 5 }))
      const started = Date.now()
      const failure = failureOf(await eksClient(sdk).describe('prod'))
      seen.set(way, { took: (Date.now() - started) / 1000, failure })
      sdk.destroy()
    }),
  ])
}, 60_000)
afterAll(close)

describe('an EKS API that', () => {
  test.each(Object.keys(ways))(`%s is a failed read that names the call, within ${seconds} s`, (way) => {
    const { took, failure } = seen.get(way)!
    expect(took).toBeLessThan(seconds)
    expect(failure).toMatchObject({ object: 'eks:DescribeCluster' })
    expect(failure?.message).toMatch(says[way] ?? / eks:DescribeCluster did not answer|TimeoutError/)
  })

  test('throttles is told from one that is away: only the first passes by itself', () => {
    const kindOf = (way: string) => seen.get(way)?.failure?.kind
    expect(kindOf('answers 429 for minutes')).toBe('unavailable')
    expect(kindOf('answers 503 for minutes')).toBe('unavailable')
    expect(kindOf('answers 503 and asks to wait for ten minutes')).toBe('unavailable')
    for (const way of ['drops every SYN', 'takes the request and never answers', 'drips its answer', 'does not listen'])
      expect([way, kindOf(way)]).toEqual([way, 'unreachable'])
  })
})

test.each(['drips', 'drops', 'never answers'])(
  `a list of clusters from an API that %s is a failed read, within ${seconds} s`,
  (way) => {
    const { took, failure } = listed.get(way)!
    expect(took).toBeLessThan(seconds)
    expect(failure).toMatchObject({ object: 'eks:ListClusters', kind: 'unreachable' })
  },
)

describe('a call with a deadline', () => {
  test('gives its answer, or its own error, as they come', async () => {
    expect(await inTime('x', async () => 7)).toBe(7)
    await expect(
      inTime('x', async () => {
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
  })

  test('that is late is given up, told so, and named', async () => {
    let signal: AbortSignal | undefined
    const call = inTime('eks:X', ({ abortSignal }) => ((signal = abortSignal), new Promise(() => undefined)), 20)
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError', message: 'eks:X did not answer within 0.02 s' })
    expect(signal?.aborted).toBe(true)
  })
})

describe('a client of a function', () => {
  test('gives up an answer that drips, and names the service', () => {
    expect(sent.get('drips')?.error).toMatchObject({ name: 'TimeoutError', message: 'SQS did not answer within 8 s' })
  })

  test('knows within seconds that it cannot connect, before its deadline', () => {
    const { error, took } = sent.get('drops')!
    expect((error as Error).message).toMatch(/^SQS: TimeoutError: .*did not establish a connection/)
    expect(took).toBeLessThan(7.5)
  })

  test('says which service refused, and keeps what its error is', async () => {
    const sdk = client(await serve(refusing(400, 'AccessDeniedException')))
    const refused = { name: 'AccessDeniedException', message: expect.stringMatching(/^SQS: AccessDeniedException: /) }
    await expect(send(sdk)).rejects.toMatchObject(refused)
    sdk.destroy()
  })
})

test('the deadline of a whole names what a call that is a part of it was refused for', async () => {
  const endpoint = await serve(refusing(503, 'ServiceUnavailableException', { 'retry-after': '600' }))
  const sdk = remembering(new EKSClient({ region: 'eu-west-1', endpoint, credentials, ...limited }))
  const part = () => inTime('a part', (options) => sdk.send(new ListClustersCommand({}), options), 3_000)
  await expect(inTime('the whole', part, 1_000)).rejects.toThrow(
    expect.objectContaining({ name: 'ServiceUnavailableException' }),
  )
  sdk.destroy()
})
