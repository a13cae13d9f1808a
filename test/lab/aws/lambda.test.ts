import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { createKeyring, type Keyring } from '../../../lab/aws/keyring.ts'
import { createFunctions, type Functions, type Invocation } from '../../../lab/aws/lambda.ts'
import { readTemplate, resolveTemplate, type Stack } from '../../../lab/aws/template.ts'
import { type Assembly, assemble, lambda, role } from './handlers.ts'

const handlers = {
  echo: `export const handler = async (event, context) => {
    console.log(JSON.stringify({ said: event.say }))
    return { event, name: context.functionName, id: context.awsRequestId, left: context.getRemainingTimeInMillis(), env: process.env, pid: process.pid }
  }`,
  fails: `export const handler = async () => { throw new TypeError('no such cluster') }`,
  slow: `export const handler = async ({ ms }) => { await new Promise((r) => setTimeout(r, ms)); return process.pid }`,
  hoards: `const all = []; export const handler = async ({ megabytes }) => { for (let n = 0; n < megabytes; n += 8) { all.push(Buffer.alloc(8 * 2 ** 20, 1)); await new Promise((r) => setTimeout(r, 5)) } return 1 }`,
  busy: `export const handler = async ({ ms }) => { for (const end = Date.now() + ms; Date.now() < end; ); return 1 }`,
  exits: `export const handler = async () => { process.exit(3) }`,
  broken: `throw new Error('settings are incomplete'); export const handler = async () => 1`,
}
const arn = (name: string) => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`

let source: Assembly
let stack: Stack
let keyring: Keyring
let functions: Functions
let invocations: Invocation[]
let lines: string[]

beforeAll(async () => {
  source = await assemble(
    {
      ...role,
      Echo: lambda('echo', { Environment: { Variables: { TABLE: { Ref: 'AWS::StackName' } } }, MemorySize: 256 }),
      Fails: lambda('fails'),
      Slow: lambda('slow', { Timeout: 1 }),
      Hoards: lambda('hoards', { MemorySize: 256, Timeout: 20 }),
      Busy: lambda('busy', { Timeout: 30 }),
      Exits: lambda('exits'),
      Broken: lambda('broken'),
    },
    handlers,
  )
  const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: 'http://127.0.0.1:1' }
  stack = resolveTemplate(readTemplate(source), at)
  keyring = createKeyring()
  functions = createFunctions(stack, {
    keyring,
    endpoints: { AWS_ENDPOINT_URL_EKS: 'http://127.0.0.1:2' },
    onLog: (name, line) => void lines.push(`${name}: ${line}`),
    onInvocation: (invocation) => void invocations.push(invocation),
  })
})
beforeEach(() => {
  invocations = []
  lines = []
})
afterAll(async () => {
  await functions.stop()
  rmSync(source.folder, { recursive: true })
})

const payloadOf = ({ result }: Invocation): Record<string, unknown> => {
  if ('error' in result) throw new Error(result.error.errorMessage)
  return JSON.parse(result.payload)
}
const errorOf = ({ result }: Invocation) => ('error' in result ? result.error : undefined)
const running = (pid: unknown) => {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

describe('a function of the lab', () => {
  test('runs the bundle by AWS’s runtime client, cold once and then warm in the same process', async () => {
    const first = payloadOf(await functions.invoke(arn('echo'), { say: 'hello' }))
    const second = payloadOf(await functions.invoke(arn('echo'), { say: 'again' }))
    expect(first).toMatchObject({ event: { say: 'hello' }, name: 'echo', id: invocations[0]?.requestId })
    expect(first['left']).toBeGreaterThan(20_000)
    expect(second['pid']).toBe(first['pid'])
    expect(invocations.map(({ coldStart }) => coldStart === undefined)).toEqual([false, true])
    expect(lines.map((line) => line.split('\t').at(-1))).toEqual(['{"said":"hello"}', '{"said":"again"}'])
  })

  test('sees the template’s variables, the lab’s endpoints and its role’s credentials, and nothing of ours', async () => {
    process.env['LAB_TEST_LEAK'] = 'x'
    const { env } = payloadOf(await functions.invoke(arn('echo'), {}))
    expect(env).toMatchObject({
      TABLE: 'Test',
      AWS_ENDPOINT_URL_EKS: 'http://127.0.0.1:2',
      AWS_REGION: 'eu-west-1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    })
    expect(env).not.toHaveProperty('LAB_TEST_LEAK')
    const accessKeyId = String(Object(env)['AWS_ACCESS_KEY_ID'])
    expect(keyring.find(accessKeyId)?.roleArn).toBe('arn:aws:iam::111122223333:role/functions')
  })

  test('that throws is a result with the error’s name and text, and its process goes on', async () => {
    const failed = await functions.invoke(arn('fails'), {})
    expect(errorOf(failed)).toMatchObject({ errorType: 'TypeError', errorMessage: 'no such cluster' })
    expect((await functions.invoke(arn('fails'), {})).coldStart).toBeUndefined()
  })

  test('that takes longer than the template allows is ended, and the next invocation starts afresh', async () => {
    const pid = payloadOf(await functions.invoke(arn('slow'), { ms: 0 }))
    const late = await functions.invoke(arn('slow'), { ms: 5000 })
    expect(errorOf(late)?.errorMessage).toMatch(/Task timed out after 1\.00 seconds$/)
    expect(payloadOf(await functions.invoke(arn('slow'), { ms: 0 }))).not.toBe(pid)
    expect(running(pid)).toBe(false)
  })

  test('that takes more memory than the template gives it is ended, and what it held is told', async () => {
    const modest = await functions.invoke(arn('hoards'), { megabytes: 64 })
    expect(payloadOf(modest)).toBe(1)
    expect(modest.peak).toBeGreaterThan(90)
    expect(modest.peak).toBeLessThan(256)
    const greedy = await functions.invoke(arn('hoards'), { megabytes: 400 })
    expect(errorOf(greedy)).toMatchObject({ errorType: 'Runtime.OutOfMemory' })
    expect(payloadOf(await functions.invoke(arn('hoards'), { megabytes: 0 }))).toBe(1)
  })

  test('that computes for longer than a server keeps an idle connection gives its answer', async () => {
    expect(payloadOf(await functions.invoke(arn('busy'), { ms: 7_000 }))).toBe(1)
  }, 30_000)

  test('whose process ends in the middle is an error', async () => {
    expect(errorOf(await functions.invoke(arn('exits'), {}))).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('exit status 3'),
    })
  })

  test('that cannot be loaded says why', async () => {
    expect(errorOf(await functions.invoke(arn('broken'), {}))?.errorMessage).toBe('settings are incomplete')
  })

  test('gets a process per invocation under way, up to two', async () => {
    const three = [1, 2, 3].map(() => functions.invoke(arn('slow'), { ms: 100 }))
    expect(functions.running()).toBe(3)
    const pids = (await Promise.all(three)).map(payloadOf)
    expect(new Set(pids).size).toBe(2)
    expect(functions.running()).toBe(0)
  })

  test('ends with the lab', async () => {
    const own = createFunctions(stack, { keyring, endpoints: {} })
    const pid = payloadOf(await own.invoke(arn('slow'), { ms: 0 }))
    expect(running(pid)).toBe(true)
    await own.stop()
    await delay(10)
    expect(running(pid)).toBe(false)
  })
})
