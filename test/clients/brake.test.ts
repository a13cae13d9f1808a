import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { type Parameters, startParameters } from '../../lab/aws/parameters.ts'
import { brake } from '../../shared/clients/aws/brake.ts'

const keyring = createKeyring()
const credentials = keyring.forUser('arn:aws:iam::111122223333:user/us')
const parameter = '/calico-ipvs-sync/Test/brake'
let ssm: Parameters
beforeAll(async () => {
  ssm = await startParameters(keyring)
})
afterAll(() => ssm.stop())

const read = (over: object = {}) =>
  brake({ parameter, region: 'eu-west-1', credentials: async () => credentials, endpoint: ssm.url, ...over }).read()

describe('the brake', () => {
  test.each([
    ['off', 'off'],
    ['report', 'report'],
    ['sync', 'sync'],
    [' Report\n', 'report'],
  ])('set to %j allows at most %s', async (value, most) => {
    ssm.put(parameter, value)
    expect(await read()).toEqual({ most })
  })

  test.each(['', 'on', 'syncc', 'true', 'x'.repeat(4096)])('that holds %j counts as report', async (value) => {
    ssm.put(parameter, value)
    expect(await read()).toEqual({
      most: 'report',
      unreadable: expect.stringContaining('none of off, report and sync'),
    })
  })

  test('that does not exist, may not be read, or cannot be reached counts as report, and says why', async () => {
    const strange = { ...credentials, accessKeyId: 'ASIANOBODY' }
    expect(await read({ parameter: '/gone' })).toMatchObject({
      most: 'report',
      unreadable: expect.stringContaining('/gone) cannot be read: HTTP 400, ParameterNotFound'),
    })
    expect(await read({ credentials: async () => strange })).toMatchObject({ most: 'report' })
    expect(await read({ endpoint: 'http://127.0.0.1:9' })).toMatchObject({ most: 'report' })
  })

  test('that is throttled once is asked again', async () => {
    ssm.put(parameter, 'sync')
    ssm.refuse({ code: 'ThrottlingException', status: 400, times: 1 })
    expect(await read()).toEqual({ most: 'sync' })
    ssm.refuse({ code: 'ThrottlingException', status: 400, times: 2 })
    expect(await read()).toMatchObject({ most: 'report', unreadable: expect.stringContaining('ThrottlingException') })
  })
})

test('is set by the command that stands in the runbook', () => {
  const place = {
    parameter: '"/calico-ipvs-sync/$STACK/brake"',
    region: '"$REGION"',
    credentials: async () => credentials,
  }
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
  const command = brake(place).command('report')
  expect(runbook).toContain(command)
})
