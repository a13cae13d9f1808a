import { isOfEks } from '../facts/assumption.ts'
import type { ClusterFacts } from '../facts/facts.ts'
import type { ClusterCheck } from './checks.ts'
import { failureOf, type ReadFailure } from '../read.ts'
import type { Finding, ServiceRange } from '../report.ts'
import { awsEks, kubectl, onCluster, sweepOf } from './remedy.ts'
import { quoted } from '../shell.ts'

const refused = (it: ReadFailure): boolean => it.kind === 'denied' || it.kind === 'unauthenticated'

/** Failed reads: one finding for denied requests and one for everything else. */
export const unread: ClusterCheck = (cluster) => {
  const { gaps, state, otherThanEks } = cluster
  // Nothing was read intentionally: another finding has the reason.
  if (otherThanEks.length > 0 && state.identity?.connected.endpoint === undefined) return []
  const all = [...gaps.needed, ...gaps.wanted]
  const isNeeded = gaps.needed.length > 0
  return [
    ...gap(
      'UNREACHABLE',
      all.filter((it) => !refused(it)),
      { isNeeded, cluster },
    ),
    ...gap('ACCESS_DENIED', all.filter(refused), { isNeeded, cluster }),
  ]
}

interface About {
  isNeeded: boolean
  cluster: ClusterFacts
}

function gap(
  code: 'UNREACHABLE' | 'ACCESS_DENIED',
  failures: readonly ReadFailure[],
  { isNeeded, cluster }: About,
): Finding[] {
  const [first] = failures
  if (!first) return []
  const objects = failures.map(({ object }) => object).join(', ')
  const meaning = isNeeded ? 'so it is not known whether Calico is in step' : meaningOf(failures, cluster)
  const causes = code === 'ACCESS_DENIED' ? causesOf(failures, cluster) : []
  return [
    {
      code,
      severity: isNeeded ? 'warning' : 'info',
      subject: 'cluster',
      message:
        code === 'UNREACHABLE'
          ? `The tool got no usable answer for ${objects}, ${meaning}. ${first.message}`
          : `The tool was not allowed to read ${objects}, ${meaning}. ${causes.map(({ said }) => said).join(' ')}`,
      evidence: failures.map(({ object, status, message }) => ({
        object,
        field: status === undefined ? 'answer' : `HTTP ${status}`,
        value: message,
      })),
      remedy: [...causes.map(({ remedy }) => remedy), lookCloser(cluster)].join('\n'),
    },
  ]
}

/** If the clusters of a region could not be listed, doctor has no cluster to test. */
const lookCloser = (facts: ClusterFacts): string => {
  const { eks, cluster, reachedBy = {} } = facts.state
  const isUnlisted = reachedBy.listing ?? (failureOf(eks)?.object === listing && cluster.context === undefined)
  if (!isUnlisted) return `${onCluster(facts, 'doctor')}   # names the hop that fails, and the command that fixes it`
  // Without the role, EKS would list the clusters of another account.
  return reachedBy.role === undefined
    ? `${awsEks(facts.state, 'list-clusters')}   # until this succeeds, sweep cannot list them either`
    : `${sweepOf(facts.state)}   # lists them again, as that role`
}

const listing = 'eks:ListClusters'

/** If EKS does not answer, a range from another source may still be written. */
function meaningOf(failures: readonly ReadFailure[], { serviceRange: { source } }: ClusterFacts): string {
  if (!failures.some(({ object }) => isOfEks(object))) return 'the verdict is valid without it, but nothing is written'
  const isEnough = source !== 'default' && failures.every(({ object }) => isOfEks(object))
  const rest = isEnough ? 'whether EKS is changing the cluster is not known' : 'nothing is written'
  return `so the service range is ${sources[source]}, and ${rest}`
}

const sources: Record<ServiceRange['source'], string> = {
  default: 'assumed',
  probe: 'the one that the API server returned',
  flag: 'the one that was given',
  'eks-api': 'what EKS told',
}

/** Causes that look the same in a report, but are fixed in different places. */
type Cause = 'role' | 'credentials' | 'policy' | 'token' | 'identity' | 'rbac'

const causeOf = ({ object, kind, status }: ReadFailure): Cause => {
  if (object === 'sts:AssumeRole') return 'role'
  if (/^(eks|sts):/.test(object)) return kind === 'denied' ? 'policy' : 'credentials'
  if (kind === 'denied') return 'rbac'
  // Without a token no request was sent, so no server answered.
  return status === undefined ? 'token' : 'identity'
}

/** If EKS did not return the cluster's endpoint, that failure is the cause of all other failed reads. */
const causesOf = (failures: readonly ReadFailure[], cluster: ClusterFacts): { said: string; remedy: string }[] => {
  const eks = failureOf(cluster.state.eks)
  const own = failures.filter((it) => it.object === eks?.object || it.message !== eks?.message)
  return [...Map.groupBy(own, causeOf)].map(([cause, alike]) => explained(cause, alike, cluster))
}

const explained = (cause: Cause, alike: readonly ReadFailure[], facts: ClusterFacts) => {
  const { cluster } = facts.state
  const objects = [...new Set(alike.map(({ object }) => object))]
  const message = alike[0]?.message ?? ''
  const { name, context } = cluster
  const isEks = context === undefined || cluster.region !== undefined
  const named = context === undefined || cluster.arn !== undefined ? quoted(name) : 'NAME'
  switch (cause) {
    case 'role':
      return {
        said: `The role may not be assumed (STS): ${message}`,
        remedy: 'Allow the caller sts:AssumeRole on the role, and let the role trust the caller.',
      }
    case 'credentials':
      return {
        said: `AWS does not accept the identity: ${message}`,
        remedy: 'aws sts get-caller-identity   # then: aws sso login, or export AWS_PROFILE=NAME',
      }
    case 'policy':
      return {
        said: `IAM does not allow ${objects.join(', ')}: ${message}`,
        remedy: `Allow ${objects.join(', ')} on ${objects.includes(listing) ? 'all clusters (*)' : 'the cluster'} in an IAM policy of the identity that is named above.`,
      }
    case 'token':
      return {
        said: `Nothing was sent to the API server: ${message}`,
        remedy:
          context === undefined
            ? 'aws sts get-caller-identity   # then: aws sso login, or export AWS_PROFILE=NAME'
            : `${kubectl(facts)} auth whoami   # uses the same credential plugin or file: renew its credentials`,
      }
    case 'identity':
      return {
        said: `The API server does not know the identity (401): ${message}`,
        remedy: isEks
          ? `${awsEks(facts.state, `create-access-entry --cluster-name ${named}`)} --principal-arn ARN --kubernetes-groups calico-ipvs-sync-viewers   # or its credential has expired: aws sso login`
          : `${kubectl(facts)} auth whoami   # the credential in the kubeconfig is wrong or has expired: get a new one`,
      }
    case 'rbac': {
      const verbs = [...new Set(objects.map(verbFor))].join(', ')
      return {
        said: `The cluster's RBAC denies: ${verbs} (403): ${message}`,
        remedy: `calico-ipvs-sync rbac | ${kubectl(facts)} apply -f -   # allows: ${verbs}`,
      }
    }
  }
}

const lists = ['Nodes', 'Services', 'DaemonSets', 'Pods', 'FelixConfigurations', 'Events']

/** `list nodes`, `get configmaps`: as RBAC calls it. */
const verbFor = (object: string): string => {
  const [kind = object] = object.split('/')
  return lists.includes(kind) ? `list ${kind.toLowerCase()}` : `get ${kind.toLowerCase()}s`
}
