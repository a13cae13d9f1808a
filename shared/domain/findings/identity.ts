import type { ClusterFacts } from '../facts/facts.ts'
import type { ClusterCheck } from './checks.ts'
import { type ClusterMarks, type Difference, partsOf } from '../identity.ts'
import { updateKubeconfig } from './remedy.ts'

/** EKS must describe the connected cluster. */
export const clusterIdentity: ClusterCheck = (cluster) => {
  const { otherThanEks: found, state } = cluster
  const { connected = {}, described = {} } = state.identity ?? {}
  if (found.length === 0) return []
  return [
    {
      code: 'CLUSTER_IDENTITY',
      severity: 'critical',
      subject: 'cluster',
      message: `EKS describes another cluster than the connected one: ${titleOf(described)} instead of ${titleOf(connected)}. They differ in ${found.map(({ mark }) => mark).join(' and ')}. Nothing from EKS is used, and nothing is written.`,
      evidence: found.flatMap((it) => [
        { object: 'connection', field: it.mark, value: it.connected },
        { object: 'eks:DescribeCluster', field: it.mark, value: it.described },
      ]),
      remedy: remedyFor(found, cluster),
    },
  ]
}

const titleOf = ({ arn, name, account, endpoint }: ClusterMarks): string => {
  const title = arn ?? [name, account && `of account ${account}`].filter(Boolean).join(' ')
  return [title, endpoint && `at ${endpoint}`].filter(Boolean).join(' ') || 'a cluster without a name'
}

const remedyFor = (found: readonly Difference[], { state }: ClusterFacts): string => {
  const { connected = {}, described = {} } = state.identity ?? {}
  const account = connected.account ?? partsOf(connected.arn ?? '')?.account
  const asked = partsOf(described.arn ?? '')
  if (connected.endpoint === undefined && account !== undefined)
    return `The role that the deployment's configuration has for account ${account} (accounts[].viewerRoleArn) belongs to account ${asked?.account ?? 'none'}: configure one of account ${account}, and deploy again.`
  if (account !== undefined && account !== asked?.account)
    return `aws sts get-caller-identity   # must be of account ${account}: export AWS_PROFILE=NAME, or give --role with a role of that account`
  if (!connected.authorities || connected.unverified)
    return 'Without a verified authority only the address can be compared: give the cluster certificate-authority-data in the kubeconfig, and tls-server-name if it is reached by another name.'
  if (found.some(({ mark }) => mark === 'name')) return 'Name the cluster: --cluster NAME --region REGION'
  const update = `${updateKubeconfig({ ...state, cluster: { ...state.cluster, ...asked } })}   # if the cluster was created again or its authority changed; otherwise the connection is intercepted`
  if (account !== undefined || !asked) return update
  return `EKS was called in account ${asked.account}. If the cluster is in another account: export AWS_PROFILE=NAME, or give --role. If it is in that account:\n${update}`
}

/** Without verification, anybody on the network path can read and change the traffic. */
export const tlsNotVerified: ClusterCheck = ({ state }) => {
  const { connected } = state.identity ?? {}
  if (!connected?.unverified) return []
  return [
    {
      code: 'TLS_NOT_VERIFIED',
      severity: 'warning',
      subject: 'cluster',
      message: `The certificate of the API server at ${connected.endpoint} is not verified, because the kubeconfig disables it: any server at that address is trusted and receives the credential.`,
      evidence: [{ object: 'kubeconfig', field: 'insecure-skip-tls-verify', value: 'true' }],
      remedy:
        "Remove insecure-skip-tls-verify from the kubeconfig and add the cluster's certificate-authority-data, and tls-server-name if its certificate has another name.",
    },
  ]
}
