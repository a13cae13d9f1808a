import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { fieldsOf } from '../../lab/aws/json.ts'
import { readDeployment } from '../../shared/deployment.ts'
import { account, deployment, region } from './deployment.ts'

const regions =
  `us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-west-1 eu-west-2 eu-west-3 eu-central-1
  eu-north-1 ap-south-1 ap-southeast-1 ap-southeast-2 ap-northeast-1 ap-northeast-2 ap-northeast-3`.split(/\s+/)
const accounts = Array.from({ length: 1_000 }, (_, index) => ({ account: String(200_000_000_000 + index) }))
const exceptions = Array.from({ length: 100 }, (_, index) => ({
  cluster: `${accounts[index]?.account}/eu-west-1/prod-${index}`,
  until: '2027-03-31',
  reason: 'x'.repeat(500),
}))
const large = { env: { account, region }, organizationId: 'o-a1b2c3d4e5', regions, accounts, policy: { exceptions } }

describe('a fleet of 1,000 accounts in 17 regions with 100 exceptions', () => {
  const stack = deployment(large)

  test.each(Object.keys(stack.configured))('%s finds all of it beside its code', (label) => {
    const read = stack.configured[label]
    expect(read?.fleet).toEqual({ own: account, regions, accounts })
    expect(read?.policy).toEqual({ action: 'report', exceptions })
  })

  test('is listed within the time that a sweep waits for its places, at two seconds each', () => {
    const places = regions.length * accounts.length
    expect((places / placesAtOnceIn(stack)) * 2).toBeLessThan(20 * 60)
  })

  test('leaves no function with more variables than Lambda takes', () => {
    for (const { properties } of stack.ofType('AWS::Lambda::Function'))
      expect(Buffer.byteLength(JSON.stringify(properties['Environment']))).toBeLessThan(2_048)
  })
})

/** Of the mapping that invokes list-clusters. */
const placesAtOnceIn = (stack: ReturnType<typeof deployment>): number => {
  const [lister] = stack.ofType('AWS::Lambda::Function').filter(({ label }) => label === 'ListClusters')
  const [mapping] = stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => properties['FunctionName'] === lister?.name)
  return Number(fieldsOf(mapping?.properties['ScalingConfig'])['MaximumConcurrency'])
}

test.each([
  ['a small fleet', {}, 5],
  ['one of an organization', { organizationId: 'o-a1b2c3d4e5', organization: { units: ['r-ab12'] } }, 20],
  ['one with fewer invocations reserved', { reservedConcurrency: { 'list-clusters': 3 } }, 3],
])('%s has so many places listed at once', (_, more, most) => {
  expect(placesAtOnceIn(deployment({ env: { account, region }, ...more }))).toBe(most)
})

describe('what lies beside the code', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-beside-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const reading = (text: string) => () => {
    writeFileSync(join(folder, 'deployment.json'), text)
    return readDeployment(account, { LAMBDA_TASK_ROOT: folder, AWS_REGION: region })
  }

  test('is the own account and region where nothing was configured', () => {
    expect(reading('{"fleet":{},"policy":{}}')().fleet).toEqual({
      own: account,
      regions: [region],
      accounts: [{ account }],
    })
  })

  test.each([
    ['is not JSON', '{', /deployment\.json is missing or is not JSON; deploy the stack again/],
    ['has no policy', '{"fleet":{}}', /policy: .*object/],
    ['has an unknown action', '{"fleet":{},"policy":{"action":"fix"}}', /policy\.action: /],
    ['has an account without a number', '{"fleet":{"accounts":[{}]},"policy":{}}', /fleet\.accounts\.0\.account: /],
  ])('is refused by name where it %s', (_, text, message) => expect(reading(text)).toThrow(message))
})
