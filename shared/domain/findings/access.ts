import type { ClusterFacts } from '../assess/facts.ts'
import type { ClusterCheck } from '../findings.ts'
import type { ReadFailure } from '../read.ts'
import type { Finding } from '../report.ts'
import { onCluster, quoted } from './remedy.ts'

const refused = (it: ReadFailure): boolean => it.kind === 'denied' || it.kind === 'unauthenticated'

/** What could not be read, one finding for refusals and one for everything else. */
export const unread: ClusterCheck = (cluster) => {
  const { gaps, state, otherThanEks } = cluster
  // Nothing was read on purpose, and that is a finding of its own.
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
  const meaning = isNeeded
    ? 'so it cannot be told whether Calico is in step'
    : failures.some(({ object }) => object === 'eks:DescribeCluster')
      ? 'so the service range is the one that was given, or assumed, and nothing is written'
      : 'the verdict stands without it, but nothing is written'
  const causes = code === 'ACCESS_DENIED' ? causesOf(failures, cluster) : []
  const doctor = `${onCluster(cluster, 'doctor')}   # names the hop that fails, and what to paste`
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
      remedy: [...causes.map(({ remedy }) => remedy), doctor].join('\n'),
    },
  ]
}

/** Four that look alike and are fixed in four places. */
type Cause = 'role' | 'credentials' | 'policy' | 'identity' | 'rbac'

const causeOf = ({ object, kind }: ReadFailure): Cause => {
  if (object === 'sts:AssumeRole') return 'role'
  if (/^(eks|sts):/.test(object)) return kind === 'denied' ? 'policy' : 'credentials'
  return kind === 'denied' ? 'rbac' : 'identity'
}

const causesOf = (failures: readonly ReadFailure[], cluster: ClusterFacts): { said: string; remedy: string }[] =>
  [...Map.groupBy(failures, causeOf)].map(([cause, alike]) => explained(cause, alike, cluster))

const explained = (cause: Cause, alike: readonly ReadFailure[], { state: { cluster } }: ClusterFacts) => {
  const objects = [...new Set(alike.map(({ object }) => object))]
  const message = alike[0]?.message ?? ''
  const { name, region = 'REGION', context } = cluster
  const named = context === undefined || cluster.arn !== undefined ? quoted(name) : 'NAME'
  switch (cause) {
    case 'role':
      return {
        said: `The role may not be assumed (STS): ${message}`,
        remedy: 'Allow the caller sts:AssumeRole on the role, and let the role trust the caller.',
      }
    case 'credentials':
      return {
        said: `AWS does not accept who calls: ${message}`,
        remedy: 'aws sts get-caller-identity   # then: aws sso login, or export AWS_PROFILE=NAME',
      }
    case 'policy':
      return {
        said: `IAM does not allow ${objects.join(', ')}: ${message}`,
        remedy: `Allow ${objects.join(', ')} on the cluster in an IAM policy of the identity that is named above.`,
      }
    case 'identity':
      return {
        said: `The API server does not know the identity (401): ${message}`,
        remedy: `aws eks create-access-entry --cluster-name ${named} --region ${quoted(region)} --principal-arn ARN --kubernetes-groups calico-ipvs-sync-viewers`,
      }
    case 'rbac': {
      const verbs = [...new Set(objects.map(verbFor))].join(', ')
      return {
        said: `RBAC of the cluster does not allow to ${verbs} (403): ${message}`,
        remedy: `kubectl${context === undefined ? '' : ` --context ${quoted(context)}`} apply -f infra/kubernetes/rbac.yaml   # it allows to ${verbs}`,
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
