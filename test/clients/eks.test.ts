import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { EKSClient, UpdateAddonCommand, UpdateClusterConfigCommand } from '@aws-sdk/client-eks'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { mockClient } from 'aws-sdk-client-mock'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { serve } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { createAuthority } from '../../lab/pki.ts'
import { awsFailure } from '../../shared/clients/aws/failure.ts'
import { assumeRole } from '../../shared/clients/aws/credentials.ts'
import { type EksClient, eksClient } from '../../shared/clients/aws/eks.ts'
import { clusterNames } from '../../shared/clients/aws/list-clusters.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'

const caData = Buffer.from((await createAuthority('eks')).certPem).toString('base64')
const place = { account: '111122223333', region: 'eu-west-1' }
const keyring = createKeyring()
const credentials = keyring.forRole('arn:aws:iam::111122223333:role/hub', 'test')
let standIn: EksStandIn
let sdk: EKSClient
let eks: EksClient

beforeEach(async () => {
  const addons = [{ name: 'kube-proxy', version: 'v1.36.1-eksbuild.1', configurationValues: '{"mode":"ipvs"}' }]
  const common = { endpoint: 'https://127.0.0.1/prod', caData }
  const clusters = [
    { name: 'prod', ...common, addons },
    { name: 'bare', ...common, addons: [] },
  ]
  standIn = await startEks({ keyring, place, updateMilliseconds: 1, clusters })
  sdk = new EKSClient({ endpoint: standIn.url, region: place.region, credentials, maxAttempts: 1 })
  eks = eksClient(sdk)
})
afterEach(async () => {
  sdk.destroy()
  await standIn.stop()
})

const stateOf = async (name: string) => valueOf(await eks.describe(name))?.state

describe('a cluster as EKS describes it', () => {
  test('in two calls while nothing is being updated', async () => {
    const described = valueOf(await eks.describe('prod'))
    expect(described).toMatchObject({
      state: {
        status: 'ACTIVE',
        arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/prod',
        createdAt: expect.stringMatching(/^20\d\d-.*\.\d{3}Z$/),
        autoMode: false,
        kubeProxyAddon: {
          value: { version: 'v1.36.1-eksbuild.1', status: 'ACTIVE', configurationValues: '{"mode":"ipvs"}' },
        },
        updates: { value: [] },
      },
      endpoint: { server: 'https://127.0.0.1/prod', caData, tokenFor: 'prod' },
    })
    expect(described?.state).not.toHaveProperty('serviceNodePortRange')
    expect(standIn.calls).toEqual({ DescribeCluster: 1, DescribeAddon: 1 })
  })

  test('without the add-on: kube-proxy is self-managed', async () => {
    expect((await stateOf('bare'))?.kubeProxyAddon).toEqual({ value: undefined })
  })

  test('that does not exist is undefined', async () => {
    expect(await eks.describe('gone')).toEqual({ value: undefined })
  })

  test.each([
    ['nothing', '{}'],
    ['null', '{"cluster":null}'],
    ['the page of a proxy', '<html>sign in</html>'],
  ])('with success and %s is one of which nothing is known, and not one that is gone', async (_, body) => {
    const proxy = await serve(async () => ({ status: 200, body }))
    const behind = new EKSClient({ endpoint: proxy.url, region: place.region, credentials, maxAttempts: 1 })
    const client = eksClient(behind)
    const described = await client.describe('prod')
    expect(failureOf(described)).toMatchObject({ kind: 'unavailable', object: 'eks:DescribeCluster' })
    expect(failureOf(described)?.message).not.toMatch(/\$response|hidden field/)
    await expect(clusterNames(behind)).rejects.toThrow()
    behind.destroy()
    await proxy.close()
  })

  test('with an add-on that is not in the answer is not one without it', async () => {
    const mocked = mockClient(sdk).callsFake(async (input: object) =>
      'addonName' in input
        ? {}
        : {
            cluster: {
              name: 'prod',
              status: 'ACTIVE',
              endpoint: 'https://127.0.0.1',
              certificateAuthority: { data: caData },
            },
          },
    )
    expect((await stateOf('prod'))?.kubeProxyAddon).toMatchObject({ failure: { kind: 'unavailable' } })
    mocked.restore()
  })

  test('with its node-port range, and the update that changes it while it is under way', async () => {
    const letGo = standIn.holdUpdates()
    const range = { minPort: 20000, maxPort: 32767 }
    await sdk.send(
      new UpdateClusterConfigCommand({ name: 'prod', kubeApiServerConfig: { serviceNodePortRange: range } }),
    )
    const state = await stateOf('prod')
    expect(state?.status).toBe('UPDATING')
    expect(state?.updates).toEqual({
      value: [
        {
          id: expect.any(String),
          type: 'ControlPlaneComponentConfigUpdate',
          status: 'InProgress',
          startedAt: expect.stringMatching(/^20.*Z$/),
        },
      ],
    })
    letGo()
    while (standIn.updatesInProgress() > 0) await new Promise((later) => setTimeout(later, 20))
    expect(await stateOf('prod')).toMatchObject({
      status: 'ACTIVE',
      serviceNodePortRange: { min: 20000, max: 32767 },
      updates: { value: [] },
    })
  })

  test('with the update of its add-on', async () => {
    standIn.holdUpdates()
    await sdk.send(
      new UpdateAddonCommand({
        clusterName: 'prod',
        addonName: 'kube-proxy',
        configurationValues: '{"mode":"iptables"}',
      }),
    )
    expect(await stateOf('prod')).toMatchObject({
      status: 'ACTIVE',
      kubeProxyAddon: { value: { status: 'UPDATING' } },
      updates: { value: [{ type: 'AddonUpdate', addon: 'kube-proxy' }] },
    })
  })
})

test.each([
  [
    'garbage',
    Buffer.from('garbage').toString('base64'),
    /^certificateAuthority\.data cannot be used: .*no certificate in PEM/,
  ],
  ['nothing', '====', /^certificateAuthority\.data cannot be used: it is empty/],
])('an authority that is none is refused: %s', async (_, caData, message) => {
  standIn.addCluster({ name: 'odd', endpoint: 'https://127.0.0.1/odd', caData })
  expect(await eks.describe('odd')).toMatchObject({
    failure: { kind: 'malformed', object: 'eks:DescribeCluster', message: expect.stringMatching(message) },
  })
})

describe('a call that fails', () => {
  test.each([
    ['AccessDeniedException', 'denied'],
    ['ThrottlingException', 'unavailable'],
    ['ServiceUnavailableException', 'unavailable'],
  ])('%s: %s', async (error, kind) => {
    standIn.inject({ operation: 'DescribeCluster', error })
    expect(await eks.describe('prod')).toMatchObject({ failure: { kind, object: 'eks:DescribeCluster' } })
  })

  test('on the add-on alone is recorded there, and the rest is known', async () => {
    standIn.inject({ operation: 'DescribeAddon', error: 'AccessDeniedException' })
    expect(await stateOf('prod')).toMatchObject({
      status: 'ACTIVE',
      kubeProxyAddon: { failure: { kind: 'denied', object: 'eks:DescribeAddon' } },
    })
  })

  test('with a strange key is unauthenticated', async () => {
    const stranger = new EKSClient({
      endpoint: standIn.url,
      region: place.region,
      credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
      maxAttempts: 1,
    })
    expect(await eksClient(stranger).describe('prod')).toMatchObject({ failure: { kind: 'unauthenticated' } })
  })

  test('without an answer is unreachable', async () => {
    const nobody = new EKSClient({ endpoint: 'http://127.0.0.1:1', region: place.region, credentials, maxAttempts: 1 })
    expect(await eksClient(nobody).describe('prod')).toMatchObject({ failure: { kind: 'unreachable' } })
  })

  test('says what it was in one line', () => {
    const error = Object.assign(new Error('a\nb'), { name: 'ServerException', $metadata: { httpStatusCode: 500 } })
    expect(awsFailure(error, 'eks:X')).toEqual({
      kind: 'unavailable',
      object: 'eks:X',
      message: 'ServerException: a b',
      status: 500,
    })
  })
})

test('all clusters are listed, page by page', async () => {
  for (let index = 0; index < 120; index += 1)
    standIn.addCluster({ name: `c${index}`, endpoint: 'https://127.0.0.1', caData })
  expect(await clusterNames(sdk)).toHaveLength(122)
  expect(standIn.calls['ListClusters']).toBe(2)
})

describe('the role of another account', () => {
  const roleArn = 'arn:aws:iam::444455556666:role/spoke'
  const sts = mockClient(STSClient)
  const until = new Date('2026-11-23T05:00:00Z')
  afterEach(() => void sts.reset())
  const given = { AccessKeyId: 'ASIA1', SecretAccessKey: 's', SessionToken: 't', Expiration: until }

  test('is assumed once, however many ask at once, and again shortly before it expires', async () => {
    sts.on(AssumeRoleCommand).resolves({ Credentials: given })
    let at = new Date('2026-11-23T04:00:00Z')
    const role = assumeRole(
      new STSClient({ region: 'eu-west-1' }),
      { roleArn, externalId: 'hub-1', session: 'sweep@hub' },
      () => at,
    )
    const [first] = await Promise.all([role(), role(), role()])
    expect(first).toMatchObject({ accessKeyId: 'ASIA1', sessionToken: 't' })
    expect(sts.commandCalls(AssumeRoleCommand)).toHaveLength(1)
    expect(sts.commandCalls(AssumeRoleCommand)[0]?.args[0].input).toMatchObject({
      RoleArn: roleArn,
      ExternalId: 'hub-1',
      RoleSessionName: 'sweep@hub',
    })
    at = new Date('2026-11-23T04:56:00Z')
    await role()
    expect(sts.commandCalls(AssumeRoleCommand)).toHaveLength(2)
  })

  test('that could not be assumed is tried again', async () => {
    sts.on(AssumeRoleCommand).rejectsOnce(new Error('denied')).resolves({ Credentials: given })
    const role = assumeRole(
      new STSClient({ region: 'eu-west-1' }),
      { roleArn, externalId: 'hub-1', session: 'sweep@hub' },
      () => new Date('2026-11-23T04:00:00Z'),
    )
    await expect(role()).rejects.toThrow('denied')
    await expect(role()).resolves.toMatchObject({ accessKeyId: 'ASIA1' })
  })
})
