import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:http'
import { listenLocally } from '../../lab/loopback.ts'
import { run } from '../cli/run.ts'
import { dripping, refusing, silent, unwell } from './endpoints.ts'

/** `history` in front of an AWS that is not well: it ends, and says which call it was, within so many seconds. */
const seconds = 15
const { serve, dropping, close } = unwell()
const well = createServer((_, response) =>
  response.end('{"Parameter":{"Value":"records"},"Items":[],"LastEvaluatedKey":null}'),
)
const at = ['history', '--cluster', 'prod', '--region', 'eu-west-1', '--from', '2026-11-20', '--to', '2026-11-21']
const named = ['--account', '111122223333']

const ways: Record<string, { service: string; start: () => Promise<string>; more: string[]; says: RegExp }> = {
  'DynamoDB drips a byte a second': {
    service: 'DYNAMODB',
    start: () => serve(dripping),
    more: named,
    says: /DynamoDB did not answer/,
  },
  'DynamoDB drops every SYN': {
    service: 'DYNAMODB',
    start: dropping,
    more: named,
    says: /DynamoDB: .*did not establish a connection|DynamoDB did not answer/,
  },
  'DynamoDB never answers': { service: 'DYNAMODB', start: () => serve(silent), more: named, says: /DynamoDB/ },
  'DynamoDB throttles for minutes': {
    service: 'DYNAMODB',
    start: () => serve(refusing(429, 'ThrottlingException', { 'retry-after': '600' })),
    more: named,
    says: /ThrottlingException/,
  },
  'SSM drips a byte a second': { service: 'SSM', start: () => serve(dripping), more: named, says: /SSM parameter/ },
  'STS drips a byte a second': {
    service: 'STS',
    start: () => serve(dripping),
    more: ['--table', 't'],
    says: /STS|sts:GetCallerIdentity/,
  },
}
const seen = new Map<string, { status: number | null; took: number; stderr: string }>()

beforeAll(async () => {
  const url = `http://127.0.0.1:${await listenLocally(well)}`
  const tried = Object.entries(ways).map(async ([way, { service, start, more }]) => {
    const env = {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL: url,
      [`AWS_ENDPOINT_URL_${service}`]: await start(),
    }
    // From its first word on: six processes that begin at one time would measure this machine.
    let began = performance.now()
    let limit: NodeJS.Timeout | undefined
    const running = (child: ChildProcess) => {
      child.stderr?.once('data', () => (began = performance.now()))
      limit = setTimeout(() => child.kill('SIGKILL'), 3 * seconds * 1_000)
    }
    const { status, stderr } = await run([...at, ...more], { env, running })
    clearTimeout(limit)
    seen.set(way, { status, stderr, took: (performance.now() - began) / 1_000 })
  })
  await Promise.all(tried)
}, 60_000)
afterAll(() => {
  close()
  well.close()
})

describe('history, where', () => {
  test.each(Object.keys(ways))(`%s, says so within ${seconds} s`, (way) => {
    const { status, took, stderr } = seen.get(way)!
    process.stdout.write(`${way}: ${took.toFixed(1)} s\n`)
    expect([status, took < seconds, stderr]).toEqual([2, true, stderr])
    expect(stderr).toMatch(ways[way]!.says)
  })
})
