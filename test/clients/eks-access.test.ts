import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { mockClient } from 'aws-sdk-client-mock'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { createAuthority } from '../../lab/pki.ts'
import { eksAccess } from '../../shared/clients/aws/eks-access.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'

const ca = (await createAuthority('eks')).certPem
const place = { account: '111122223333', region: 'eu-west-1' }
const keyring = createKeyring()
const hub = keyring.forRole('arn:aws:iam::111122223333:role/hub', 'function')
const spoke = keyring.forRole('arn:aws:iam::111122223333:role/spoke', 'calico-ipvs-sync')
const sts = mockClient(STSClient)
const before = { ...process.env }
const callers: string[] = []
let eks: EksStandIn

beforeAll(async () => {
  const clusters = [{ name: 'prod', endpoint: 'https://prod.example', caData: Buffer.from(ca).toString('base64') }]
  eks = await startEks({ keyring, place, clusters, onCall: (_, arn) => void callers.push(arn) })
  process.env['AWS_ENDPOINT_URL_EKS'] = eks.url
  process.env['AWS_ACCESS_KEY_ID'] = hub.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = hub.secretAccessKey
  process.env['AWS_SESSION_TOKEN'] = hub.sessionToken
})
afterAll(async () => {
  process.env = before
  sts.restore()
  await eks.stop()
})

const keyIn = (token: string | undefined) => {
  const url = new URL(Buffer.from((token ?? '').split('.')[1] ?? '', 'base64url').toString('utf8'))
  return url.searchParams.get('X-Amz-Credential')?.split('/')[0]
}

test('without a role, calls and tokens are signed by whoever we are', async () => {
  const access = eksAccess()({ region: 'eu-west-1' })
  const endpoint = valueOf(await access.eks.describe('prod'))?.endpoint
  if (!endpoint) throw new Error('no endpoint')
  const connection = access.connection(endpoint)
  expect(connection).toMatchObject({ server: 'https://prod.example', ca })
  expect(keyIn(await connection.token?.({ fresh: false }))).toBe(hub.accessKeyId)
  expect(new Set(callers)).toEqual(new Set([hub.arn]))
})

test('with the role of a spoke, both are signed by that role, assumed once', async () => {
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken } = spoke
  const Expiration = new Date(Date.now() + 3_600_000)
  sts.on(AssumeRoleCommand).resolves({ Credentials: { AccessKeyId, SecretAccessKey, SessionToken, Expiration } })
  callers.length = 0
  const at = eksAccess()
  const roleArn = 'arn:aws:iam::111122223333:role/spoke'
  await at({ region: 'eu-west-1', roleArn }).eks.describe('prod')
  const { connection } = at({ region: 'eu-west-1', roleArn })
  const token = await connection({ server: '', caData: '', tokenFor: 'prod' }).token?.({ fresh: false })
  expect(keyIn(token)).toBe(spoke.accessKeyId)
  expect(new Set(callers)).toEqual(new Set([spoke.arn]))
  expect(sts.commandCalls(AssumeRoleCommand)).toHaveLength(1)
})

test('a role that was deleted and made again is assumed anew, also for tokens of connections that stay', async () => {
  const of = ({ accessKeyId, secretAccessKey, sessionToken }: typeof spoke) => ({
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: new Date(Date.now() + 3_600_000),
  })
  const dead = { ...spoke, accessKeyId: 'ASIADEAD', sessionToken: 'dead' }
  sts.reset()
  sts
    .on(AssumeRoleCommand)
    .resolvesOnce({ Credentials: of(dead) })
    .resolves({ Credentials: of(spoke) })
  const at = eksAccess()
  const there = { region: 'eu-west-1', roleArn: 'arn:aws:iam::111122223333:role/spoke' }
  const connection = at(there).connection({ server: '', caData: '', tokenFor: 'prod' })
  expect(keyIn(await connection.token?.({ fresh: false }))).toBe('ASIADEAD')
  expect(failureOf(await at(there).eks.describe('prod'))).toMatchObject({ kind: 'unauthenticated' })
  expect(valueOf(await at(there).eks.describe('prod'))?.endpoint?.server).toBe('https://prod.example')
  expect(keyIn(await connection.token?.({ fresh: true }))).toBe(spoke.accessKeyId)
})
