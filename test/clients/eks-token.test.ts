import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, createHmac } from 'node:crypto'
import { startTokenVerifier, type TokenVerifier } from '../../lab/eks-token-verifier/start.ts'
import { type AwsCredentials, signToken, tokens } from '../../shared/clients/aws/eks-token.ts'

const keys = { accessKeyId: 'AKIDMAPPED', secretAccessKey: 'mapped/secret+key' }
const temporary = { accessKeyId: 'ASIATEMPORARY', secretAccessKey: 'temporary', sessionToken: 'IQoJ+/b3J=!*' }
const now = new Date('2026-11-23T04:05:06.789Z')
const request = { region: 'eu-west-1', tokenFor: 'prod-1', now }

const urlIn = (token: string): URL => {
  expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/)
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString('utf8'))
}

describe('the URL inside a token', () => {
  test('has the parameters the verifier takes, and no other', async () => {
    const url = urlIn(await signToken(request, temporary))
    expect(`${url.protocol}//${url.host}${url.pathname}`).toBe('https://sts.eu-west-1.amazonaws.com/')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'ASIATEMPORARY/20261123/eu-west-1/sts/aws4_request',
      'X-Amz-Date': '20261123T040506Z',
      'X-Amz-Expires': '60',
      'X-Amz-Security-Token': temporary.sessionToken,
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('is signed as SigV4 says, computed here by hand', async () => {
    const url = urlIn(await signToken(request, temporary))
    const query = url.search.slice(1).replace(/&X-Amz-Signature=[0-9a-f]+/, '')
    const hash = (text: string) => createHash('sha256').update(text).digest('hex')
    const canonical = `GET\n/\n${query}\nhost:${url.host}\nx-k8s-aws-id:prod-1\n\nhost;x-k8s-aws-id\n${hash('')}`
    const scope = '20261123/eu-west-1/sts/aws4_request'
    const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
    const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${temporary.secretAccessKey}`)
    const expected = hmac(key, `AWS4-HMAC-SHA256\n20261123T040506Z\n${scope}\n${hash(canonical)}`).toString('hex')
    expect(url.searchParams.get('X-Amz-Signature')).toBe(expected)
  })

  test('names the regional STS of the partition, whatever the environment says of endpoints', async () => {
    process.env['AWS_ENDPOINT_URL_STS'] = process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9'
    try {
      expect(urlIn(await signToken({ ...request, region: 'cn-north-1' }, keys)).host).toBe(
        'sts.cn-north-1.amazonaws.com.cn',
      )
    } finally {
      delete process.env['AWS_ENDPOINT_URL_STS']
      delete process.env['AWS_ENDPOINT_URL']
    }
  })
})

describe('tokens are kept', () => {
  const clock = () => {
    let at = now.getTime()
    return { now: () => new Date(at), pass: (minutes: number) => (at += minutes * 60_000) }
  }
  const source = (identity: { current: AwsCredentials }, time: ReturnType<typeof clock>) =>
    tokens('eu-west-1', async () => identity.current, time.now)

  test('for ten minutes per cluster, and no longer', async () => {
    const time = clock()
    const token = source({ current: keys }, time)
    const first = await token('prod-1', { fresh: false })
    time.pass(9)
    expect(await token('prod-1', { fresh: false })).toBe(first)
    expect(await token('prod-2', { fresh: false })).not.toBe(first)
    time.pass(1)
    expect(await token('prod-1', { fresh: false })).not.toBe(first)
  })

  test('but not past a refusal or a change of credentials', async () => {
    const time = clock()
    const identity = { current: keys as AwsCredentials }
    const token = source(identity, time)
    const first = await token('prod-1', { fresh: false })
    time.pass(1)
    const second = await token('prod-1', { fresh: true })
    expect(second).not.toBe(first)
    identity.current = temporary
    expect(urlIn(await token('prod-1', { fresh: false })).searchParams.get('X-Amz-Credential')).toMatch(
      /^ASIATEMPORARY/,
    )
  })
})

describe('the verifier that EKS runs', () => {
  let verifier: TokenVerifier
  beforeAll(async () => {
    const roleArn = 'arn:aws:iam::111122223333:role/sync'
    const roles = [keys, temporary].map((identity) => ({ ...identity, roleArn, groups: ['calico-ipvs-sync'] }))
    verifier = await startTokenVerifier({ clusterName: 'prod-1', roles })
  }, 60_000)
  afterAll(() => verifier?.stop())

  test.each([
    ['long-lived', keys, 'eu-west-1'],
    ['temporary', temporary, 'us-east-1'],
  ])('takes our token of %s credentials', async (_, identity, region) => {
    const token = await signToken({ ...request, region, now: new Date() }, identity)
    expect(await verifier.authenticate(token)).toMatchObject({ groups: ['calico-ipvs-sync'] })
  })

  test.each([
    ['for another cluster', { tokenFor: 'prod-2' }, keys],
    ['of long ago', { now: new Date(Date.now() - 16 * 60_000) }, keys],
    ['of another secret', {}, { ...keys, secretAccessKey: 'guess' }],
  ])('refuses one %s', async (_, change, identity) => {
    const token = await signToken({ ...request, now: new Date(), ...change }, identity)
    expect(await verifier.authenticate(token)).toBeUndefined()
  })
})
