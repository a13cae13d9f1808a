import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  CreateAccessEntryCommand,
  CreateAddonCommand,
  DeleteAddonCommand,
  DeleteClusterCommand,
  DescribeAccessEntryCommand,
  DescribeAddonCommand,
  DescribeAddonConfigurationCommand,
  DescribeClusterCommand,
  DescribeClusterVersionsCommand,
  DescribeUpdateCommand,
  EKSClient,
  ListAddonsCommand,
  ListUpdatesCommand,
  paginateListClusters,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAddonCommand,
  UpdateClusterConfigCommand,
  UpdateClusterVersionCommand,
} from '@aws-sdk/client-eks'
import type { PortSpan } from '../../../lab/cluster.ts'
import { type EksStandIn, startEks } from '../../../lab/aws/eks.ts'
import type { BusEvent } from '../../../lab/aws/eks-trail.ts'
import { createKeyring } from '../../../lab/aws/keyring.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const keyring = createKeyring()
const credentials = keyring.forRole('arn:aws:iam::111122223333:role/Platform', 'alice')
let eks: EksStandIn
let client: EKSClient
let events: BusEvent[]
let ranges: [string, PortSpan][]
let addonsUpdated: string[]

const clientWith = (more: object) =>
  new EKSClient({ endpoint: eks.url, region: place.region, credentials, maxAttempts: 1, ...more })

beforeEach(async () => {
  events = []
  ranges = []
  addonsUpdated = []
  const addons = [{ name: 'kube-proxy', version: 'v1.36.1-eksbuild.1', configurationValues: '{"mode":"ipvs"}' }]
  eks = await startEks({
    keyring,
    place,
    updateMilliseconds: 20,
    clusters: ['b', 'a', 'c'].map((name) => ({ name, endpoint: `https://127.0.0.1/${name}`, caData: 'Q0E=', addons })),
    onEvent: (event) => void events.push(event),
    onNodePortRange: async ({ name }, range) => void ranges.push([name, range]),
    onAddonUpdated: async ({ name }, { addonName }) => void addonsUpdated.push(`${name}/${addonName}`),
  })
  client = clientWith({})
})
afterEach(() => eks.stop())

const settled = async () => {
  while (eks.updatesInProgress() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
const setRange = (name: string, minPort: number, maxPort: number) =>
  client.send(
    new UpdateClusterConfigCommand({ name, kubeApiServerConfig: { serviceNodePortRange: { minPort, maxPort } } }),
  )
const clusterOf = async (name: string) => (await client.send(new DescribeClusterCommand({ name }))).cluster
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('the EKS API of the lab', () => {
  test('lists clusters page by page, of the caller’s account and region only', async () => {
    eks.addCluster({ name: 'elsewhere', endpoint: 'https://127.0.0.1', caData: '', region: 'eu-central-1' })
    const pages: string[][] = []
    for await (const { clusters = [] } of paginateListClusters({ client, pageSize: 2 }, {})) pages.push(clusters)
    expect(pages).toEqual([['a', 'b'], ['c']])
  })

  test('describes a cluster, without a node-port range where none was ever set', async () => {
    const cluster = await clusterOf('a')
    expect(cluster).toMatchObject({
      name: 'a',
      arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/a',
      status: 'ACTIVE',
      endpoint: 'https://127.0.0.1/a',
      certificateAuthority: { data: 'Q0E=' },
    })
    expect(cluster?.createdAt).toBeInstanceOf(Date)
    expect(cluster).not.toHaveProperty('kubeApiServerConfig')
  })

  test('answers an unknown cluster with ResourceNotFoundException', async () => {
    expect(await errorOf(clusterOf('gone'))).toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'No cluster found for name: gone.',
      clusterName: 'gone',
      $metadata: { httpStatusCode: 404 },
    })
  })

  test('takes a node-port range at once and puts it into effect later', async () => {
    const letGo = eks.holdUpdates()
    const { update } = await setRange('a', 20000, 22767)
    expect(update).toMatchObject({ status: 'InProgress', type: 'ControlPlaneComponentConfigUpdate' })
    expect((await clusterOf('a'))?.status).toBe('UPDATING')
    expect(await errorOf(setRange('a', 20000, 21000))).toMatchObject({ name: 'ResourceInUseException' })
    expect(ranges).toEqual([])
    letGo()
    await settled()
    expect(ranges).toEqual([['a', { min: 20000, max: 22767 }]])
    expect(await clusterOf('a')).toMatchObject({
      status: 'ACTIVE',
      kubeApiServerConfig: { serviceNodePortRange: { minPort: 20000, maxPort: 22767 } },
    })
    const described = await client.send(new DescribeUpdateCommand({ name: 'a', updateId: update?.id }))
    expect(described.update?.status).toBe('Successful')
    expect((await client.send(new ListUpdatesCommand({ name: 'a' }))).updateIds).toEqual([update?.id])
  })

  test.each([
    [10259, 32767],
    [30000, 32768],
    [31000, 30000],
  ])('refuses the range %i to %i', async (min, max) => {
    expect(await errorOf(setRange('a', min, max))).toMatchObject({ name: 'InvalidParameterException' })
    expect((await clusterOf('a'))?.status).toBe('ACTIVE')
  })

  test('an update whose effect fails is Failed, and the cluster as it was', async () => {
    eks.failNextUpdate('a', 'the API server did not come back')
    const { update } = await setRange('a', 20000, 22767)
    await settled()
    const described = await client.send(new DescribeUpdateCommand({ name: 'a', updateId: update?.id }))
    expect(described.update).toMatchObject({
      status: 'Failed',
      errors: [{ errorMessage: expect.stringContaining('did not come back') }],
    })
    expect(await clusterOf('a')).not.toHaveProperty('kubeApiServerConfig')
  })

  test('raises the version by one minor, not by two', async () => {
    expect(await errorOf(client.send(new UpdateClusterVersionCommand({ name: 'a', version: '1.38' })))).toMatchObject({
      name: 'InvalidParameterException',
    })
    const { update } = await client.send(new UpdateClusterVersionCommand({ name: 'a', version: '1.37' }))
    expect(update?.type).toBe('VersionUpdate')
    await settled()
    expect((await clusterOf('a'))?.version).toBe('1.37')
  })

  test('updates an add-on, listed under its name, and says so natively when done', async () => {
    const configurationValues = '{"mode":"iptables"}'
    const addon = { clusterName: 'a', addonName: 'kube-proxy' }
    const letGo = eks.holdUpdates()
    const { update } = await client.send(new UpdateAddonCommand({ ...addon, configurationValues }))
    expect((await client.send(new DescribeAddonCommand(addon))).addon?.status).toBe('UPDATING')
    letGo()
    await settled()
    const described = await client.send(new DescribeAddonCommand(addon))
    expect(described.addon).toMatchObject({ status: 'ACTIVE', configurationValues })
    const listed = await client.send(new ListUpdatesCommand({ name: 'a', addonName: 'kube-proxy' }))
    expect(listed.updateIds).toEqual([update?.id])
    expect(addonsUpdated).toEqual(['a/kube-proxy'])
    expect(events.map((event) => event['detail-type'])).toEqual([
      'AWS API Call via CloudTrail',
      'EKS Addon Update Succeeded',
    ])
    expect(events[1]?.resources).toEqual([described.addon?.addonArn])
  })

  test('refuses a mode that this build of the add-on does not know', async () => {
    const configurationValues = '{"mode":"userspace"}'
    const call = client.send(new UpdateAddonCommand({ clusterName: 'a', addonName: 'kube-proxy', configurationValues }))
    expect(await errorOf(call)).toMatchObject({ name: 'InvalidParameterException' })
    const answer = await client.send(
      new DescribeAddonConfigurationCommand({ addonName: 'kube-proxy', addonVersion: 'v1.28.8-eksbuild.5' }),
    )
    expect(answer.configurationSchema).toContain('"enum":["iptables","ipvs"]')
  })

  test('creates and deletes add-ons', async () => {
    await client.send(new CreateAddonCommand({ clusterName: 'a', addonName: 'coredns' }))
    await settled()
    await client.send(new DeleteAddonCommand({ clusterName: 'a', addonName: 'kube-proxy', preserve: true }))
    await settled()
    expect((await client.send(new ListAddonsCommand({ clusterName: 'a' }))).addons).toEqual(['coredns'])
    const gone = client.send(new DescribeAddonCommand({ clusterName: 'a', addonName: 'kube-proxy' }))
    expect(await errorOf(gone)).toMatchObject({ name: 'ResourceNotFoundException', addonName: 'kube-proxy' })
    const deletion = events.find(({ detail }) => detail['eventName'] === 'DeleteAddon')
    expect(deletion?.detail['requestParameters']).toEqual({ name: 'a', addonName: 'kube-proxy', preserve: true })
    expect(events.map((event) => event['detail-type'])).toContain('EKS Addon Deletion Succeeded')
  })

  test('keeps tags and access entries', async () => {
    const resourceArn = 'arn:aws:eks:eu-west-1:111122223333:cluster/a'
    await client.send(new TagResourceCommand({ resourceArn, tags: { 'calico-ipvs-sync': 'sync', team: 'x' } }))
    await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team'] }))
    expect((await clusterOf('a'))?.tags).toEqual({ 'calico-ipvs-sync': 'sync' })
    const principalArn = 'arn:aws:iam::111122223333:role/tool'
    await client.send(new CreateAccessEntryCommand({ clusterName: 'a', principalArn, kubernetesGroups: ['g'] }))
    const entry = await client.send(new DescribeAccessEntryCommand({ clusterName: 'a', principalArn }))
    expect(entry.accessEntry).toMatchObject({ principalArn, kubernetesGroups: ['g'], username: principalArn })
  })

  test('a deleted cluster is DELETING and then gone', async () => {
    expect((await client.send(new DeleteClusterCommand({ name: 'a' }))).cluster?.status).toBe('DELETING')
    let error = await errorOf(clusterOf('a'))
    while (error === undefined) error = await errorOf(clusterOf('a'))
    expect(error).toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('says the bounds of the node-port range per version', async () => {
    const answer = await client.send(new DescribeClusterVersionsCommand({ clusterVersions: ['1.36'] }))
    expect(answer.clusterVersions).toHaveLength(1)
    expect(answer.clusterVersions?.[0]?.controlPlaneComponentConfig?.kubeApiServerConfig?.serviceNodePortRange).toEqual(
      {
        defaultValue: { minPort: 30000, maxPort: 32767 },
        constraints: { minPort: { min: 10260, max: 32767 }, maxPort: { min: 10260, max: 32767 } },
      },
    )
  })
})

describe('what CloudTrail tells of EKS', () => {
  test('a write carries the cluster under name, the caller and the update', async () => {
    const { update } = await setRange('a', 20000, 22767)
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ source: 'aws.eks', account: place.account, region: place.region })
    expect(events[0]?.detail).toMatchObject({
      eventSource: 'eks.amazonaws.com',
      eventName: 'UpdateClusterConfig',
      readOnly: false,
      userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/Platform/alice' },
      requestParameters: {
        name: 'a',
        kubeApiServerConfig: { serviceNodePortRange: { minPort: 20000, maxPort: 22767 } },
      },
      responseElements: { update: { id: update?.id, status: 'InProgress' } },
    })
    expect(events[0]?.detail).not.toHaveProperty('errorCode')
  })

  test('path labels are percent-encoded, members of the body are not', async () => {
    const principalArn = 'arn:aws:iam::111122223333:role/tool'
    await client.send(new CreateAccessEntryCommand({ clusterName: 'a', principalArn }))
    await client.send(
      new TagResourceCommand({ resourceArn: 'arn:aws:eks:eu-west-1:111122223333:cluster/a', tags: { a: 'b' } }),
    )
    expect(events[0]?.detail['requestParameters']).toMatchObject({ name: 'a', principalArn })
    expect(events[1]?.detail['requestParameters']).toMatchObject({
      resourceArn: 'arn%3Aaws%3Aeks%3Aeu-west-1%3A111122223333%3Acluster%2Fa',
    })
  })

  test('a refused write has an error code and no response', async () => {
    eks.inject({ operation: 'UpdateClusterConfig', error: 'AccessDeniedException', times: 1 })
    expect(await errorOf(setRange('a', 20000, 22767))).toMatchObject({ name: 'AccessDeniedException' })
    await errorOf(setRange('a', 1, 2))
    expect(events.map(({ detail }) => [detail['errorCode'], detail['responseElements']])).toEqual([
      ['AccessDenied', null],
      ['InvalidParameterException', null],
    ])
  })

  test('reads leave no event', async () => {
    await clusterOf('a')
    expect(events).toEqual([])
  })
})

describe('the EKS API going wrong', () => {
  test('throttling passes when the SDK tries again', async () => {
    eks.inject({ operation: 'DescribeCluster', cluster: 'a', error: 'ThrottlingException', times: 2 })
    const patient = clientWith({ maxAttempts: 3 })
    const { cluster } = await patient.send(new DescribeClusterCommand({ name: 'a' }))
    expect(cluster?.name).toBe('a')
    expect(eks.calls['DescribeCluster']).toBe(3)
  })

  test('a fault lasts until it is taken back, and hits its cluster only', async () => {
    const takeBack = eks.inject({ cluster: 'a', error: 'ServiceUnavailableException' })
    expect(await errorOf(clusterOf('a'))).toMatchObject({ name: 'ServiceUnavailableException' })
    expect((await clusterOf('b'))?.name).toBe('b')
    takeBack()
    expect((await clusterOf('a'))?.name).toBe('a')
  })

  test('answers as late as told', async () => {
    eks.setLatency(80)
    const started = performance.now()
    await clusterOf('a')
    expect(performance.now() - started).toBeGreaterThanOrEqual(75)
  })

  test('an unknown access key and a missing signature are refused', async () => {
    const stranger = clientWith({ credentials: { ...credentials, accessKeyId: 'ASIAUNKNOWN' } })
    expect(await errorOf(stranger.send(new DescribeClusterCommand({ name: 'a' })))).toMatchObject({
      name: 'UnrecognizedClientException',
      $metadata: { httpStatusCode: 403 },
    })
    const unsigned = await fetch(`${eks.url}/clusters/a`)
    expect([unsigned.status, unsigned.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'MissingAuthenticationTokenException',
    ])
  })
})
