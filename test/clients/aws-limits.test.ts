import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { EKSClient } from '@aws-sdk/client-eks'
import { inTime, limited } from '../../shared/clients/aws/limits.ts'
import { eksClient } from '../../shared/clients/aws/eks.ts'
import { failureOf } from '../../shared/domain/read.ts'

/** AWS as it is when it is not well: which call it was is known within fifteen seconds, on the command line and in a Lambda alike. */
const seconds = 15
const credentials = { accessKeyId: 'A', secretAccessKey: 'B' }
const servers: Server[] = []
const sockets: Socket[] = []
let deaf: ChildProcess | undefined

const serve = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A process that listens and is stopped: once its backlog is full, the kernel drops every further SYN. */
const dropping = async (): Promise<string> => {
  const code = `require('net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, function () { console.log(this.address().port) })`
  deaf = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = (await once(deaf.stdout!, 'data')) as [Buffer]
  const port = Number(String(line))
  deaf.kill('SIGSTOP')
  for (let filling = 0; filling < 8; filling += 1) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
  }
  return `http://127.0.0.1:${port}`
}

const refusing =
  (status: number, code: string): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code })
    response.end(JSON.stringify({ message: 'not now' }))
  }

const dripping: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 500)
  response.on('close', () => clearInterval(timer))
}

/** Each is asked at the same time as the others; how long it took, and what is known then. */
const ways: Record<string, () => Promise<string>> = {
  'drops every SYN': dropping,
  'takes the request and never answers': () => serve(() => undefined),
  'drips its answer': () => serve(dripping),
  'answers 429 for minutes': () => serve(refusing(429, 'ThrottlingException')),
  'answers 503 for minutes': () => serve(refusing(503, 'ServiceUnavailableException')),
  'does not listen': async () => 'http://127.0.0.1:9',
}
/** Where it is not silence. */
const says: Record<string, RegExp> = {
  'answers 429 for minutes': /ThrottlingException/,
  'answers 503 for minutes': /ServiceUnavailableException/,
  'does not listen': /ECONNREFUSED/,
}
const seen = new Map<string, { took: number; failure: ReturnType<typeof failureOf> }>()

beforeAll(async () => {
  await Promise.all(
    Object.entries(ways).map(async ([way, start]) => {
      const endpoint = await start()
      const sdk = new EKSClient({ region: 'eu-west-1', endpoint, credentials, ...limited, maxAttempts: 5 })
      const started = Date.now()
      const failure = failureOf(await eksClient(sdk).describe('prod'))
      seen.set(way, { took: (Date.now() - started) / 1000, failure })
      sdk.destroy()
    }),
  )
}, 60_000)
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  deaf?.kill('SIGKILL')
})

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
    for (const way of ['drops every SYN', 'takes the request and never answers', 'drips its answer', 'does not listen'])
      expect([way, kindOf(way)]).toEqual([way, 'unreachable'])
  })
})

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
