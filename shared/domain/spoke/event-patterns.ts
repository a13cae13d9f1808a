/**
 * The event patterns of EventBridge; the rules of the hub and of its spokes are the same. An event only requests an
 * evaluation: on-event reads only the names of clusters from it. So the patterns may be broad; an unnecessary event
 * costs one evaluation.
 */

/**
 * EKS API calls that change what is assessed, or whether the cluster can be read. Registered (connected) clusters are
 * not supported.
 */
export const clusterCalls = [
  'CreateCluster',
  'DeleteCluster',
  // The node-port range, Auto Mode, endpoint access and authentication mode.
  'UpdateClusterConfig',
  'UpdateClusterVersion',
  'CancelUpdate',
  // kube-proxy's; those of every other add-on match too, because the name is in the path, not in the body.
  'CreateAddon',
  'UpdateAddon',
  'DeleteAddon',
  // New nodes start kube-proxy and calico-node with the current configuration.
  'CreateNodegroup',
  'UpdateNodegroupConfig',
  'UpdateNodegroupVersion',
  'DeleteNodegroup',
  'CreateFargateProfile',
  'DeleteFargateProfile',
  // The deployment's own access may have changed.
  'CreateAccessEntry',
  'UpdateAccessEntry',
  'DeleteAccessEntry',
  'AssociateAccessPolicy',
  'DisassociateAccessPolicy',
  // Rotation of the certificate authority of the API server. EKS also activates a successor itself before the first one
  // expires, without an API call; then only AWS Health and the sweep detect it.
  'CreateCertificateAuthority',
  'ActivateCertificateAuthority',
  'DeleteCertificateAuthority',
  // The switch per cluster is the tag `calico-ipvs-sync`.
  'TagResource',
  'UntagResource',
]

/** EKS has nine own events; these eight report the end of an add-on's change or its health. */
const addonEvents = ['Creation', 'Update', 'Deletion']
  .flatMap((change) => [`EKS Addon ${change} Succeeded`, `EKS Addon ${change} Failed`])
  .concat('EKS Addon Health Degraded', 'EKS Addon Health Restored')

const configured = { resourceType: ['AWS::EKS::Cluster', 'AWS::EKS::Addon'] }

/** By the rule's name in the template. */
export const patterns = {
  /** Needs a trail that logs management events in the region. Failed calls are excluded: they changed nothing. */
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
  /** Changes that EKS makes itself: platform versions, upgrades at the end of support, its certificate authority. */
  HealthEvents: {
    source: ['aws.health'],
    'detail-type': ['AWS Health Event'],
    detail: { service: ['EKS'] },
  },
}
export type PatternName = keyof typeof patterns
