/**
 * What an event may say, as EventBridge's own patterns: the hub's rules and the rules of its spokes are the same. It only
 * ever means "look at this cluster": on-event reads the names of clusters from it and nothing else, so patterns may be
 * generous and an event that says nothing new costs one look.
 */

/** Calls of EKS that change what is assessed, or whether it can be read at all. Registered (connected) clusters are not EKS's. */
export const clusterCalls = [
  'CreateCluster',
  'DeleteCluster',
  // The node-port range, Auto Mode, endpoint access and authentication mode.
  'UpdateClusterConfig',
  'UpdateClusterVersion',
  'CancelUpdate',
  // kube-proxy. Which add-on it was stands in the path, not in the body: on-event looks.
  'CreateAddon',
  'UpdateAddon',
  'DeleteAddon',
  // New nodes start kube-proxy and calico-node with today's configuration.
  'CreateNodegroup',
  'UpdateNodegroupConfig',
  'UpdateNodegroupVersion',
  'DeleteNodegroup',
  'CreateFargateProfile',
  'DeleteFargateProfile',
  // Our own way in may have been given or taken.
  'CreateAccessEntry',
  'UpdateAccessEntry',
  'DeleteAccessEntry',
  'AssociateAccessPolicy',
  'DisassociateAccessPolicy',
  // Rotation of the authority that signs the API server's certificate: what we trust it by changes. EKS activates a
  // successor by itself before the first expires; that is nobody's call, and AWS Health and the sweep are left.
  'CreateCertificateAuthority',
  'ActivateCertificateAuthority',
  'DeleteCertificateAuthority',
  // The switch per cluster is the tag `calico-ipvs-sync`.
  'TagResource',
  'UntagResource',
]

/** EKS has nine events of its own, of which these eight end an asynchronous change of an add-on or tell of its health. */
const addonEvents = ['Creation', 'Update', 'Deletion']
  .flatMap((change) => [`EKS Addon ${change} Succeeded`, `EKS Addon ${change} Failed`])
  .concat('EKS Addon Health Degraded', 'EKS Addon Health Restored')

const configured = { resourceType: ['AWS::EKS::Cluster', 'AWS::EKS::Addon'] }

/** By the rule's name in the template. */
export const patterns = {
  /** Needs a trail that logs management events in the region. Calls that failed changed nothing. */
  ClusterCalls: {
    source: ['aws.eks'],
    'detail-type': ['AWS API Call via CloudTrail'],
    detail: {
      eventSource: ['eks.amazonaws.com'],
      readOnly: [false],
      errorCode: [{ exists: false }],
      eventName: clusterCalls,
    },
  },
  AddonEvents: { source: ['aws.eks'], 'detail-type': addonEvents },
  /** A configuration item that is too large for an event is replaced by a summary under another key. */
  ConfigurationItems: {
    source: ['aws.config'],
    'detail-type': ['Config Configuration Item Change'],
    detail: { $or: [{ configurationItem: configured }, { configurationItemSummary: configured }] },
  },
  /** What EKS does by itself: platform versions, upgrades at the end of support, its certificate authority. */
  HealthEvents: {
    source: ['aws.health'],
    'detail-type': ['AWS Health Event'],
    detail: { service: ['EKS'] },
  },
}
export type PatternName = keyof typeof patterns
