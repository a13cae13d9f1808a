import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Alarms, startAlarms } from '../../lab/aws/alarms.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { health } from '../../shared/clients/aws/health.ts'

const keyring = createKeyring()
const credentials = keyring.forUser('arn:aws:iam::111122223333:user/us')
let alarms: Alarms
beforeAll(async () => {
  alarms = await startAlarms(() => keyring)
})
afterAll(() => alarms.stop())

const troubleWith = (names: string[], over: object = {}) =>
  health({
    alarms: names,
    region: 'eu-west-1',
    credentials: async () => credentials,
    endpoint: alarms.url,
    ...over,
  }).trouble()

describe('alarms that are heeded', () => {
  test('hold nothing while they are well, or have nothing to go by', async () => {
    alarms.set('errors', 'OK')
    alarms.set('quiet', 'INSUFFICIENT_DATA')
    expect(await troubleWith(['errors', 'quiet'])).toBeUndefined()
  })

  test('are named with their reason while they ring, composite ones and those given by ARN too', async () => {
    alarms.set('errors', 'ALARM')
    alarms.set('any:thing', 'ALARM', 'CompositeAlarm')
    const arn = 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:any:thing'
    expect(await troubleWith(['errors', arn])).toBe(
      'the alarm errors rings (set in the lab); the alarm any:thing rings (set in the lab)',
    )
  })

  test('protect nobody when they are gone, so that counts as trouble', async () => {
    expect(await troubleWith(['nobody-made-it'])).toBe('there is no alarm nobody-made-it in eu-west-1')
  })

  test('that cannot be asked for count as trouble: refused, or nobody there', async () => {
    const strange = { ...credentials, accessKeyId: 'ASIANOBODY' }
    expect(await troubleWith(['errors'], { credentials: async () => strange })).toMatch(
      /CloudWatch did not return.*HTTP 403, UnrecognizedClientException/,
    )
    expect(await troubleWith(['errors'], { endpoint: 'http://127.0.0.1:9' })).toMatch(/CloudWatch did not return/)
  })
})
