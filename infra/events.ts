import type { EventPattern } from 'aws-cdk-lib/aws-events'

/**
 * What an event may say. It only ever means "look at this cluster": on-event reads the name of the cluster from it and
 * nothing else, so patterns may be generous and an event that says nothing new costs one look.
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
    detailType: ['AWS API Call via CloudTrail'],
    detail: {
      eventSource: ['eks.amazonaws.com'],
      readOnly: [false],
      errorCode: [{ exists: false }],
      eventName: clusterCalls,
    },
  },
  AddonEvents: { source: ['aws.eks'], detailType: addonEvents },
  /** A configuration item that is too large for an event is replaced by a summary under another key. */
  ConfigurationItems: {
    source: ['aws.config'],
    detailType: ['Config Configuration Item Change'],
    detail: { $or: [{ configurationItem: configured }, { configurationItemSummary: configured }] },
  },
} satisfies Record<string, EventPattern>
