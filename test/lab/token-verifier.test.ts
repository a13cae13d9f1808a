import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTokenVerifier, type TokenVerifier } from '../../lab/eks-token-verifier/start.ts'

const mapped = { accessKeyId: 'AKIDMAPPED', secretAccessKey: 'mapped/secret+key' }
const temporary = { accessKeyId: 'ASIATEMPORARY', secretAccessKey: 'temporary', sessionToken: 'IQoJ+/b3J=' }
const unmapped = { accessKeyId: 'AKIDUNMAPPED', secretAccessKey: 'unmapped' }
const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`

let verifier: TokenVerifier

beforeAll(async () => {
  verifier = await startTokenVerifier({
    clusterName: 'prod-1',
    roles: [
      { ...mapped, roleArn: role('path/sync'), groups: ['calico-ipvs-sync'] },
      { ...temporary, roleArn: role('lambda'), groups: ['calico-ipvs-sync', 'readers'] },
      { ...unmapped, roleArn: role('stranger') },
    ],
  })
})
afterAll(() => verifier?.stop())

test('a token for the cluster is the user and the groups of its role', async () => {
  expect(await verifier.authenticate(token(mapped))).toMatchObject({
    username: 'arn:aws:sts::111122223333:assumed-role/sync/lab-session',
    groups: ['calico-ipvs-sync'],
  })
})

test('temporary credentials count with their session token only', async () => {
  const user = await verifier.authenticate(token(temporary))
  expect(user?.groups).toEqual(['calico-ipvs-sync', 'readers'])
  const { sessionToken: _, ...keys } = temporary
  expect(await verifier.authenticate(token(keys))).toBeUndefined()
})

test('any region may sign, as its own endpoint', async () => {
  expect(await verifier.authenticate(token(mapped, { region: 'eu-central-1' }))).toBeDefined()
  expect(await verifier.authenticate(token(mapped, { region: 'eu-central-1', scope: 'us-east-1' }))).toBeUndefined()
})

test.each([
  ['for another cluster', () => token(mapped, { cluster: 'prod-2' })],
  ['signed with another secret', () => token({ ...mapped, secretAccessKey: 'guess' })],
  ['of a key nobody has', () => token({ accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' })],
  ['of a role without an access entry', () => token(unmapped)],
  ['signed more than fifteen minutes ago', () => token(mapped, { at: Date.now() - 16 * 60_000 })],
  ['that is no token at all', () => 'nonsense'],
])('a token %s is refused', async (_, made) => {
  expect(await verifier.authenticate(made())).toBeUndefined()
})

interface Keys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

interface Signing {
  cluster?: string
  region?: string
  /** The region in the credential's scope, where it is not the endpoint's. */
  scope?: string
  at?: number
}

/** An EKS token by the letter of its recipe, with nothing shared with what it is tried on. */
function token(keys: Keys, signing: Signing = {}): string {
  const { cluster = 'prod-1', region = 'us-east-1', scope = region, at = Date.now() } = signing
  const host = `sts.${region}.amazonaws.com`
  const date = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
  const scoped = `${date.slice(0, 8)}/${scope}/sts/aws4_request`
  const query = [
    'Action=GetCallerIdentity',
    'Version=2011-06-15',
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${keys.accessKeyId}/${scoped}`)}`,
    `X-Amz-Date=${date}`,
    'X-Amz-Expires=60',
    ...(keys.sessionToken ? [`X-Amz-Security-Token=${encodeURIComponent(keys.sessionToken)}`] : []),
    'X-Amz-SignedHeaders=host%3Bx-k8s-aws-id',
  ].join('&')
  const empty = createHash('sha256').digest('hex')
  const canonical = `GET\n/\n${query}\nhost:${host}\nx-k8s-aws-id:${cluster}\n\nhost;x-k8s-aws-id\n${empty}`
  const hash = createHash('sha256').update(canonical).digest('hex')
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const key = scoped.split('/').reduce<string | Buffer>(hmac, `AWS4${keys.secretAccessKey}`)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scoped}\n${hash}`).toString('hex')
  return `k8s-aws-v1.${Buffer.from(`https://${host}/?${query}&X-Amz-Signature=${signature}`).toString('base64url')}`
}
