import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createServer } from 'node:http'
import { startDynamo } from '../../lab/aws/dynamo.ts'
import { listenLocally } from '../../lab/loopback.ts'
import { records } from '../../shared/clients/aws/records.ts'
import type { Report } from '../../shared/domain/report.ts'
import { runHere as run } from './here.ts'
import { recordsTable } from '../records-table.ts'

const tables = startDynamo()
/** SSM and STS, as far as `history` asks them. */
const services = createServer((request, response) => {
  let body = ''
  request.on('data', (part: Buffer) => (body += part.toString()))
  request.on('end', () => {
    if (request.headers['x-amz-target'] !== 'AmazonSSM.GetParameter')
      return response
        .setHeader('content-type', 'text/xml')
        .end(
          '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>111122223333</Account><Arn>a</Arn><UserId>u</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>',
        )
    const { Name } = JSON.parse(body) as { Name: string }
    if (Name === '/calico-ipvs-sync/CalicoIpvsSync/records-table')
      return response.end(JSON.stringify({ Parameter: { Value: 'records' } }))
    return response.writeHead(400).end('{"__type":"ParameterNotFound"}')
  })
})
let env: Record<string, string>
let dynamo: DynamoDBClient

const look = (observedAt: string, verdict: Report['verdict']): Report => ({
  schemaVersion: 1,
  cluster: { name: 'prod' },
  observedAt,
  verdict,
  nodes: [],
  findings: [],
})

beforeAll(async () => {
  const { url: endpoint } = await tables
  const others = `http://127.0.0.1:${await listenLocally(services)}`
  env = {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_ENDPOINT_URL_SSM: others,
    AWS_ENDPOINT_URL_STS: others,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  }
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
  dynamo = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials })
  await recordsTable(dynamo)
  const kept = records(dynamo, 'records')
  await kept.putReport('111122223333/eu-west-1/prod', look('2026-11-21T10:00:00Z', 'in-step'))
  await kept.putReport('111122223333/eu-west-1/prod', look('2026-11-21T11:00:00Z', 'out-of-step'))
  const daily = records(dynamo, 'records', { everyMinutes: 1440, withinMinutes: 15 })
  for (const day of [12, 19, 20, 21, 22, 23])
    await daily.putReport('111122223333/eu-west-1/daily', look(`2026-11-${day}T04:10:00Z`, 'in-step'))
  await daily.putReport('111122223333/eu-west-1/hourly-now', look('2026-11-21T04:10:00Z', 'in-step'))
  await kept.putReport('111122223333/eu-west-1/hourly-now', look('2026-11-22T04:10:00Z', 'in-step'))
})
afterAll(async () => {
  dynamo.destroy()
  await (await tables).stop()
  services.close()
})

const history = (...words: string[]) =>
  run(
    ['history', '--cluster', 'prod', '--region', 'eu-west-1', '--from', '2026-11-20', '--to', '2026-11-22', ...words],
    { env },
  )

describe('history', () => {
  test('to a day that is to come ends today', async () => {
    const { stdout } = await history('--quiet', '--to', '9999-12-31', '-o', 'json')
    expect(JSON.parse(stdout)).toMatchObject({ intervals: { length: expect.any(Number) } })
    expect((JSON.parse(stdout) as { to: string }).to < '3000').toBe(true)
  })

  test('finds the account by the credentials and the table by the deployment, and prints verdicts and gaps', async () => {
    const { status, stdout, stderr } = await history('--quiet')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('2026-11-21 11:00 to 2026-11-21 11:00  out of step')
    expect(stdout).toContain('no evaluation between 2026-11-20 00:00 and 2026-11-21 10:00')
  })

  test('takes the table and the account as they are given', async () => {
    const { status, stdout } = await history('--table', 'records', '--account', '111122223333', '-o', 'json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: { name: 'prod', account: '111122223333' },
      intervals: [{ verdict: 'in-step' }, { verdict: 'out-of-step' }],
    })
  })

  test('of a deployment that sweeps once a day has no gap between two sweeps, in any format', async () => {
    const [text, page, data] = await Promise.all(
      ['text', 'html', 'json'].map((format) => history('--quiet', '--cluster', 'daily', '-o', format)),
    )
    for (const it of [text, page]) {
      expect(it?.stdout).toContain('if it is longer than 2910 minutes (as the sweep was configured)')
      expect(it?.stdout).not.toContain('no evaluation between')
    }
    expect(JSON.parse(data?.stdout ?? '')).toMatchObject({ gaps: [], intervals: [{ looks: 4 }] })
  })

  test('with --gap looks for evaluations beside the days as far as that gap is long', async () => {
    const week = await history('--quiet', '--cluster', 'daily', '--from', '2026-11-19', '--gap', '10080', '-o', 'json')
    expect(JSON.parse(week.stdout)).toMatchObject({ gaps: [], intervals: [{ looks: 5 }] })
  })

  test('takes a --gap that the records of these days show, whatever those of the days before show', async () => {
    const words = ['--cluster', 'hourly-now', '--from', '2026-11-22', '--gap', '150', '-o', 'json']
    const { status, stdout } = await history('--quiet', ...words)
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ gapLimits: [{ minutes: 150, source: 'given' }] })
  })

  test.each([
    [
      'another deployment',
      ['--stack', 'Trial'],
      /records of Trial in eu-west-1 are not found.*ParameterNotFound/,
      'aws ssm get-parameters-by-path',
    ],
    [
      'no such table',
      ['--table', 'other'],
      /There is no table other in eu-west-1/,
      'aws dynamodb list-tables --region eu-west-1',
    ],
    [
      'a cluster of another account',
      ['--account', '999999999999'],
      /has not evaluated it/,
      'aws eks list-clusters --region eu-west-1',
    ],
    [
      'days without a look',
      ['--from', '2026-10-01', '--to', '2026-10-07'],
      /last evaluation was on 2026-11-21/,
      'calico-ipvs-sync history --cluster prod --region eu-west-1 --account 111122223333 --to 2026-11-21',
    ],
  ])('%s: one clear sentence and the next command', async (_, words, sentence, next) => {
    const { status, stdout, stderr } = await history('--quiet', ...words)
    expect([status, stdout]).toEqual([2, ''])
    const [why = '', then = '', ...more] = stderr.trim().split('\n')
    expect(why).toMatch(sentence)
    expect(then).toContain(`Next: ${next}`)
    expect(more).toEqual([])
  })

  test.each([
    ['no day', ['--from', '2026-13-01'], /Give a day such as 2026-11-20/],
    ['days the wrong way round', ['--from', '2026-11-23'], /--from 2026-11-23 is after --to 2026-11-22/],
    ['no account', ['--account', 'me'], /twelve digits/],
    ['a gap that the records cannot tell', ['--gap', '10'], /150 or more/],
    ['a name that no cluster has', ['--cluster', 'a/b'], /There is no EKS cluster a\/b/],
  ])('%s: usage', async (_, words, sentence) => {
    const { status, stderr } = await history('--quiet', ...words)
    expect(status).toBe(64)
    expect(stderr).toMatch(sentence)
  })

  test('a denied read names the permission', async () => {
    const denying = createServer((_, response) =>
      response.writeHead(400).end('{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}'),
    )
    const url = `http://127.0.0.1:${await listenLocally(denying)}`
    const words = ['history', '--cluster', 'prod', '--region', 'eu-west-1', '--account', '111122223333', '--quiet']
    const { status, stderr } = await run([...words, '--table', 'records'], {
      env: { ...env, AWS_ENDPOINT_URL_DYNAMODB: url },
    })
    denying.close()
    expect(status).toBe(2)
    expect(stderr).toMatch(/dynamodb:Query on the table records is denied\.\nNext: aws sts get-caller-identity/)
  })
})
