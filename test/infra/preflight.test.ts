import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { listenLocally } from '../../lab/loopback.ts'
import { type Ask, askAws, preflight } from '../../shared/preflight.ts'

const account = '111122223333'
const region = 'eu-west-1'
const well: Ask = {
  identity: () => Promise.resolve(account),
  region: () => Promise.resolve(region),
  bootstrap: () => Promise.resolve(21),
  missingLogGroups: (_, names) => Promise.resolve(names.filter((name) => name.includes('gone'))),
  hasRecorder: () => Promise.resolve(true),
}
const fails = (message: string) => () => Promise.reject(new Error(message))

describe('before a deployment', () => {
  test('nothing is said where credentials, region and bootstrap are there', async () => {
    expect(await preflight({}, well)).toBeUndefined()
    expect(await preflight({ env: { account, region } }, well)).toBeUndefined()
  })

  test.each<[string, Partial<Ask>, RegExp]>([
    [
      'no credentials',
      { identity: fails('Could not load credentials from any providers') },
      /^No AWS credentials can be used \(Could not load .*\): run `aws sso login`/,
    ],
    [
      'credentials that have expired',
      { identity: fails('The security token included in the request is expired\n  at x') },
      /is expired\): run/,
    ],
    ['no region', { region: () => Promise.resolve(undefined) }, /^No region is known: set AWS_REGION/],
    ['a region that cannot be found out', { region: fails('Region is missing') }, /^No region is known/],
    [
      'no bootstrap',
      { bootstrap: () => Promise.resolve(undefined) },
      /not bootstrapped for the CDK in eu-west-1: run `npx cdk bootstrap aws:\/\/111122223333\/eu-west-1` once\.$/,
    ],
    [
      'an old bootstrap',
      { bootstrap: () => Promise.resolve(4) },
      /bootstrapped for the CDK at version 4, and 6 is needed, in eu-west-1/,
    ],
  ])('%s is one sentence that says what to do', async (_, ask, sentence) => {
    const said = await preflight({}, { ...well, ...ask })
    expect(said).toMatch(sentence)
    expect(said).not.toContain('\n')
  })

  test.each(['TimeoutError', 'AbortError'])(
    'an answer that comes too late (%s) is asked for again, three times in all',
    async (name) => {
      const late = (times: number) => {
        let left = times
        return async () => {
          if (left-- > 0) throw Object.assign(new Error('too late'), { name })
          return undefined
        }
      }
      expect(await preflight({}, { ...well, bootstrap: late(2) })).toMatch(/^Account 111122223333 is not bootstrapped/)
      expect(await preflight({}, { ...well, bootstrap: late(3) })).toBeUndefined()
      const once = late(1)
      expect(await preflight({}, { ...well, identity: () => once().then(() => account) })).toBeUndefined()
    },
  )

  test('the account that the configuration names must be that of the credentials', async () => {
    expect(await preflight({ env: { account: '444455556666', region } }, well)).toMatch(
      /credentials are of account 111122223333, and `env` in deploy\.json says 444455556666/,
    )
  })

  test('a cluster whose audit log is to be heard and is not there would take the whole deployment back', async () => {
    expect(await preflight({ auditLogs: ['prod-1'] }, well)).toBeUndefined()
    expect(await preflight({ auditLogs: ['prod-1', 'gone-2'] }, well)).toMatch(
      /^There is no log group \/aws\/eks\/gone-2\/cluster, .* `aws eks update-cluster-config --name gone-2 --logging /,
    )
    const refused = { ...well, missingLogGroups: fails('HTTP 400, AccessDeniedException') }
    expect(await preflight({ auditLogs: ['gone-2'] }, refused)).toBeUndefined()
  })

  test('so would a rule of AWS Config where nothing is recorded', async () => {
    const without = { ...well, hasRecorder: () => Promise.resolve(false) }
    expect(await preflight({ configRule: true }, without)).toMatch(
      /^AWS Config has no recorder in eu-west-1.*`configRule`/,
    )
    expect(await preflight({ configRule: true }, well)).toBeUndefined()
    expect(await preflight({ configRule: false }, without)).toBeUndefined()
    const refused = { ...well, hasRecorder: fails('HTTP 400, AccessDeniedException') }
    expect(await preflight({ configRule: true }, refused)).toBeUndefined()
  })

  test('who may not read the bootstrap may try', async () => {
    expect(await preflight({}, { ...well, bootstrap: fails('HTTP 400, AccessDeniedException') })).toBeUndefined()
  })

  test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'])(
    'log groups are asked for at the endpoint of %s, as the SDK and the aws command do',
    async (name) => {
      const server = createServer((_, response) => response.end('{"logGroups":[{"logGroupName":"a"}]}'))
      const url = `http://127.0.0.1:${await listenLocally(server)}`
      const before = { ...process.env }
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })
      try {
        const ask = askAws({ [name]: url, AWS_REGION: region })
        expect(await ask.missingLogGroups(region, ['a', 'b'])).toEqual(['b'])
      } finally {
        process.env = before
        server.close()
      }
    },
  )

  test.each([
    ['{"ConfigurationRecorders":[{"name":"default"}]}', true],
    ['{"ConfigurationRecorders":[]}', false],
  ])('the recorder is asked for at the endpoint of AWS_ENDPOINT_URL_CONFIG_SERVICE: %s', async (answer, has) => {
    const server = createServer((_, response) => response.end(answer))
    const url = `http://127.0.0.1:${await listenLocally(server)}`
    const before = { ...process.env }
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })
    try {
      const ask = askAws({ AWS_ENDPOINT_URL_CONFIG_SERVICE: url, AWS_REGION: region })
      expect(await ask.hasRecorder(region)).toBe(has)
    } finally {
      process.env = before
      server.close()
    }
  })

  test.each(['{"__type":"ParameterNotFound"}', '{"__type": "com.amazonaws.ssm#ParameterNotFound", "message": ""}'])(
    'the bootstrap is asked for at the endpoint that all services are given, whose answer is %s',
    async (answer) => {
      const server = createServer((_, response) => response.writeHead(400).end(answer))
      const url = `http://127.0.0.1:${await listenLocally(server)}`
      const before = { ...process.env }
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })
      try {
        const version = await askAws({ AWS_ENDPOINT_URL: url, AWS_REGION: region }).bootstrap(region)
        expect(version).toBeUndefined()
      } finally {
        process.env = before
        server.close()
      }
    },
  )

  test('`npm run deploy` without credentials ends at once, with the sentence and nothing else', () => {
    const { PATH = '' } = process.env
    const env = { PATH, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', AWS_REGION: region }
    const { status, stderr, stdout } = spawnSync(process.execPath, [join(root, 'infra/deploy.ts')], {
      env,
      encoding: 'utf8',
    })
    expect(stderr.trim()).toMatch(/^No AWS credentials can be used \(.*\): run `aws sso login`.*$/)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  })
})
