/** Events as EventBridge delivers them: which rule hears each, and which clusters it speaks of. */
export interface HeardEvent {
  what: string
  event: object
  /** Names of patterns. None: it never reaches the function. */
  heard: string[]
  /** `REGION/NAME`; else a word of why it speaks of none. */
  clusters: string[] | RegExp
}

const account = '111122223333'
const region = 'eu-west-1'
const arn = (rest: string, at = region, of = account) => `arn:aws:eks:${at}:${of}:${rest}`
const prod = ['eu-west-1/prod-1']
const none = /./

const envelope = (source: string, type: string, detail: object, resources: string[] = []) => ({
  version: '0',
  id: '7a1e6e1c-0000-4000-8000-000000000000',
  'detail-type': type,
  source,
  account,
  time: '2026-11-20T10:11:12Z',
  region,
  resources,
  detail,
})

/** As CloudTrail has it: what stood in the path under the wire's names, percent-encoded. */
const call = (eventName: string, requestParameters: unknown, detail: object = {}) =>
  envelope('aws.eks', 'AWS API Call via CloudTrail', {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      arn: `arn:aws:sts::${account}:assumed-role/Platform/alice`,
      accountId: account,
    },
    eventTime: '2026-11-20T10:11:10Z',
    eventSource: 'eks.amazonaws.com',
    eventName,
    awsRegion: region,
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.31',
    requestParameters,
    responseElements: { update: { id: '8f0c', status: 'InProgress', type: 'ConfigUpdate' } },
    requestID: 'r-1',
    eventID: 'e-1',
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
    ...detail,
  })
const named = (eventName: string, more: object = {}, detail: object = {}) =>
  call(eventName, { name: 'prod-1', ...more }, detail)

const addon = (type: string, detail: object, resources: string[] = []) =>
  envelope('aws.eks', `EKS Addon ${type}`, detail, resources)
const kubeProxy = arn('addon/prod-1/kube-proxy/82c8a1b0-1111-2222-3333-444455556666')

const config = (item: object, detail: object = {}) =>
  envelope('aws.config', 'Config Configuration Item Change', {
    recordVersion: '1.3',
    messageType: 'ConfigurationItemChangeNotification',
    configurationItem: { awsAccountId: account, awsRegion: region, configurationItemStatus: 'OK', ...item },
    ...detail,
  })
const clusterItem = { resourceType: 'AWS::EKS::Cluster', resourceId: 'prod-1', resourceName: 'prod-1' }
const addonItem = { resourceType: 'AWS::EKS::Addon' }

const health = (detail: object, resources: string[] = []) =>
  envelope(
    'aws.health',
    'AWS Health Event',
    {
      eventArn: 'arn:aws:health:eu-west-1::event/EKS/AWS_EKS_PLANNED_LIFECYCLE_EVENT/AWS_EKS_PLANNED_LIFECYCLE_EVENT_1',
      service: 'EKS',
      eventTypeCode: 'AWS_EKS_PLANNED_LIFECYCLE_EVENT',
      eventTypeCategory: 'scheduledChange',
      eventScopeCode: 'ACCOUNT_SPECIFIC',
      eventRegion: region,
      affectedAccount: account,
      ...detail,
    },
    resources,
  )
const entity = (entityValue: string) => ({ entityValue, status: 'PENDING' })

const calls: HeardEvent[] = [
  [
    'the node-port range is changed',
    named('UpdateClusterConfig', { kubeApiServerConfig: { serviceNodePortRange: { minPort: 20000, maxPort: 32767 } } }),
  ],
  ['the version is raised', named('UpdateClusterVersion', { version: '1.36' })],
  ['an update is cancelled', named('CancelUpdate', { updateId: '8f0c' })],
  [
    'a cluster is made',
    call(
      'CreateCluster',
      { name: 'prod-1' },
      { responseElements: { cluster: { name: 'prod-1', status: 'CREATING' } } },
    ),
  ],
  [
    'a cluster of the documented sample of 2018',
    call(
      'CreateCluster',
      { clusterName: 'prod-1' },
      { eventVersion: '1.05', responseElements: { cluster: { clusterName: 'prod-1' } } },
    ),
  ],
  ['a cluster is deleted', named('DeleteCluster')],
  [
    'kube-proxy gets another mode',
    named('UpdateAddon', { addonName: 'kube-proxy', configurationValues: '{"mode":"ipvs"}' }),
  ],
  [
    'an add-on is made',
    named('CreateAddon', { addonName: 'kube-proxy' }, { responseElements: { addon: { clusterName: 'prod-1' } } }),
  ],
  ['an add-on is deleted', named('DeleteAddon', { addonName: 'kube-proxy' })],
  [
    'a node group is made',
    call('CreateNodegroup', null, {
      responseElements: { nodegroup: { clusterName: 'prod-1', nodegroupName: 'blue' } },
    }),
  ],
  ['a node group gets another version', named('UpdateNodegroupVersion', { nodegroupName: 'blue' })],
  ['a Fargate profile is made', named('CreateFargateProfile', { fargateProfileName: 'f' })],
  [
    'an access entry is made',
    named(
      'CreateAccessEntry',
      { principalArn: `arn:aws:iam::${account}:role/x` },
      { responseElements: { accessEntry: { clusterName: 'prod-1' } } },
    ),
  ],
  [
    'an access policy, its principal encoded as in the path',
    named('AssociateAccessPolicy', { principalArn: `arn%3Aaws%3Aiam%3A%3A${account}%3Arole%2Fx` }),
  ],
  [
    'a successor authority is made',
    named(
      'CreateCertificateAuthority',
      {},
      { responseElements: { certificateAuthority: { id: 'ca-2', signingStatus: 'NOT_USED' } } },
    ),
  ],
  ['a successor authority is activated', named('ActivateCertificateAuthority', { certificateAuthorityId: 'ca-2' })],
  ['an authority is taken away', named('DeleteCertificateAuthority', { certificateAuthorityId: 'ca-1' })],
  [
    'the tag of the switch, its ARN encoded',
    call('TagResource', {
      resourceArn: encodeURIComponent(arn('cluster/prod-1')),
      tags: { 'calico-ipvs-sync': 'off' },
    }),
  ],
  ['the tag is taken off', call('UntagResource', { resourceArn: encodeURIComponent(arn('cluster/prod-1')) })],
  ['the name of a cluster with dash and underscore', call('DeleteCluster', { name: 'prod-1' })],
].map(([what, event]) => ({ what: what as string, event: event as object, heard: ['ClusterCalls'], clusters: prod }))

const unheardCalls: HeardEvent[] = [
  ['a call that was denied', named('UpdateAddon', {}, { errorCode: 'AccessDenied', responseElements: null }), /failed/],
  ['a call that only read', named('DescribeCluster', {}, { readOnly: true }), prod],
  ['a connected cluster is registered', named('RegisterCluster'), prod],
  ['an identity provider', named('AssociateIdentityProviderConfig'), prod],
  [
    'the same call of ECS',
    call('TagResource', { resourceArn: arn('cluster/prod-1') }, { eventSource: 'ecs.amazonaws.com' }),
    /not a call to EKS/,
  ],
  ['the same words of somebody else', { ...named('UpdateAddon'), source: 'my.app' }, prod],
  [
    'a call in the words of a service event',
    { ...named('UpdateAddon'), 'detail-type': 'AWS Service Event via CloudTrail' },
    /says nothing/,
  ],
].map(([what, event, clusters]) => ({
  what: what as string,
  event: event as object,
  heard: [],
  clusters: clusters as string[] | RegExp,
}))

const addons: HeardEvent[] = [
  ['its ARN among the resources', addon('Update Succeeded', {}, [kubeProxy])],
  ['a name in detail', addon('Update Failed', { clusterName: 'prod-1', addonName: 'kube-proxy' })],
  ['a name with a dash in detail', addon('Creation Succeeded', { 'cluster-name': 'prod-1' })],
  ['its ARN in detail', addon('Creation Failed', { addonArn: kubeProxy })],
  ['its ARN deep in detail', addon('Deletion Succeeded', { addon: { resource: { arns: [kubeProxy] } } })],
  ['a name within the add-on', addon('Deletion Failed', { addon: { clusterName: 'prod-1' } })],
  ['the same ARN in both', addon('Health Degraded', { addonArn: kubeProxy }, [kubeProxy])],
  ["the cluster's ARN", addon('Health Restored', { clusterArn: arn('cluster/prod-1') })],
].map(([what, event]) => ({
  what: `an add-on event with ${what as string}`,
  event: event as object,
  heard: ['AddonEvents'],
  clusters: prod,
}))

const moreAddons: HeardEvent[] = [
  {
    what: 'an add-on event that names nothing',
    event: addon('Update Succeeded', { message: 'done' }),
    heard: ['AddonEvents'],
    clusters: /names no cluster/,
  },
  {
    what: 'an add-on event with an ARN of another account',
    event: addon('Update Succeeded', { addonArn: arn('addon/prod-1/kube-proxy/1', region, '999999999999') }),
    heard: ['AddonEvents'],
    clusters: /names account 999999999999/,
  },
  {
    what: 'the end of a Fargate pod',
    event: envelope('aws.eks', 'EKS Fargate Pod Scheduled Termination', {}),
    heard: [],
    clusters: none,
  },
  {
    what: 'a cluster event that EKS does not have',
    event: envelope('aws.eks', 'EKS Cluster State Change', { clusterName: 'prod-1' }),
    heard: [],
    clusters: none,
  },
]

const items: HeardEvent[] = [
  ['a cluster', config(clusterItem), prod],
  [
    'a cluster with nothing but its bare id, as when it was deleted',
    config({ resourceType: 'AWS::EKS::Cluster', resourceId: 'prod-1', configurationItemStatus: 'ResourceDeleted' }),
    prod,
  ],
  [
    'a cluster whose id is its ARN',
    config({ resourceType: 'AWS::EKS::Cluster', resourceId: arn('cluster/prod-1') }),
    prod,
  ],
  [
    'a cluster too large for an event',
    envelope('aws.config', 'Config Configuration Item Change', {
      messageType: 'OversizedConfigurationItemChangeNotification',
      configurationItemSummary: { ...clusterItem, awsAccountId: account, awsRegion: region },
    }),
    prod,
  ],
  [
    'an add-on by its configuration',
    config({ ...addonItem, resourceId: 'x', configuration: { ClusterName: 'prod-1', AddonName: 'kube-proxy' } }),
    prod,
  ],
  ['an add-on by an id of two parts', config({ ...addonItem, resourceId: 'prod-1|kube-proxy' }), prod],
  ['an add-on by its ARN', config({ ...addonItem, resourceId: '82c8', ARN: kubeProxy }), prod],
  ['an add-on whose id is its ARN', config({ ...addonItem, resourceId: kubeProxy }), prod],
  ['an add-on whose bare id names no cluster', config({ ...addonItem, resourceId: 'kube-proxy' }), /names no cluster/],
  [
    'a cluster of another account than it comes from',
    config({ ...clusterItem, awsAccountId: '999999999999' }),
    /names account 999999999999/,
  ],
].map(([what, event, clusters]) => ({
  what: `a configuration item of ${what as string}`,
  event: event as object,
  heard: ['ConfigurationItems'],
  clusters: clusters as string[] | RegExp,
}))

const moreItems: HeardEvent[] = [
  {
    what: 'a configuration item of an instance',
    event: config({ resourceType: 'AWS::EC2::Instance', resourceId: 'i-1' }),
    heard: [],
    clusters: none,
  },
  {
    what: 'a snapshot of AWS Config',
    event: envelope('aws.config', 'Config Configuration Item Change', { messageType: 'SnapshotCompleted' }),
    heard: [],
    clusters: none,
  },
  {
    what: 'compliance of a rule',
    event: envelope('aws.config', 'Config Rules Compliance Change', {
      resourceType: 'AWS::EKS::Cluster',
      resourceId: 'prod-1',
    }),
    heard: [],
    clusters: none,
  },
]

const healthEvents: HeardEvent[] = [
  ['a cluster by ARN', health({ affectedEntities: [entity(arn('cluster/prod-1'))] }), prod],
  ['a cluster by name', health({ affectedEntities: [entity('prod-1')] }), prod],
  [
    'several clusters, one twice',
    health({ affectedEntities: [entity(arn('cluster/prod-1')), entity(arn('cluster/prod-2'))] }, [
      arn('cluster/prod-1'),
    ]),
    ['eu-west-1/prod-1', 'eu-west-1/prod-2'],
  ],
  ['a cluster among the resources', health({ affectedEntities: [] }, [arn('cluster/prod-1')]), prod],
  [
    'a cluster of the region it is about, delivered to another',
    { ...health({ affectedEntities: [entity('prod-1')], eventRegion: 'us-east-1' }), region: 'us-west-2' },
    ['us-east-1/prod-1'],
  ],
  ['the account alone', health({ affectedEntities: [entity(account)] }), /names no cluster/],
  ['nobody in particular', health({ eventScopeCode: 'PUBLIC', eventTypeCategory: 'issue' }), /names no cluster/],
  [
    "another account, as in an organization's view",
    health({ affectedAccount: '999999999999', affectedEntities: [entity('prod-1')] }),
    /is of account 999999999999.*it has its own event/,
  ],
].map(([what, event, clusters]) => ({
  what: `AWS Health of EKS about ${what as string}`,
  event: event as object,
  heard: ['HealthEvents'],
  clusters: clusters as string[] | RegExp,
}))

const moreHealth: HeardEvent[] = [
  {
    what: 'AWS Health of another service',
    event: health({ service: 'EC2', affectedEntities: [entity('i-1')] }),
    heard: [],
    clusters: /not about EKS/,
  },
  {
    what: 'AWS Health of abuse',
    event: { ...health({ affectedEntities: [entity('prod-1')] }), 'detail-type': 'AWS Health Abuse Event' },
    heard: [],
    clusters: none,
  },
]

export const heardEvents: HeardEvent[] = [
  ...calls,
  ...unheardCalls,
  ...addons,
  ...moreAddons,
  ...items,
  ...moreItems,
  ...healthEvents,
  ...moreHealth,
]
