import type { Access, KubeClient } from '../../clients/kube/client.ts'
import type { RolloutRecord } from '../../domain/cluster.ts'
import type { Intent } from '../../domain/plan/intent.ts'
import type { CalicoApi } from '../../domain/report.ts'
import { lease } from '../../domain/rollout/annotations.ts'
import { needed } from '../needed.ts'

export interface AccessScope {
  intent: Pick<Intent, 'target' | 'restart' | 'withdraw'>
  api: CalicoApi
  nativeV3?: true | undefined
  /** The namespace in which calico-node runs. */
  namespace: string
  record: RolloutRecord | undefined
}

/** Every verb that the rollout needs from its first write to its end, including a halt and an abort. */
export const accessNeeded = ({ intent, api, nativeV3, namespace, record }: AccessScope): Access[] => {
  const felix = { group: api.split('/')[0] ?? '', resource: 'felixconfigurations' }
  const stored = { group: 'crd.projectcalico.org', resource: 'felixconfigurations' }
  // With Calico's own API server, a dry run on the API of the stored objects shows the defaults that it sets.
  const tried = api === 'projectcalico.org/v3' && !nativeV3 ? [{ verb: 'create', ...stored }] : []
  const leases = { group: 'coordination.k8s.io', resource: 'leases', namespace: lease.namespace }
  return [
    ...(record ? [] : [{ verb: 'create', ...leases }]),
    { verb: 'patch', ...leases, name: lease.name },
    ...(intent.target === undefined && !intent.withdraw
      ? []
      : [...['create', 'patch', 'delete'].map((verb) => ({ verb, ...felix })), ...tried]),
    ...(intent.restart.length > 0 ? [{ verb: 'delete', group: '', resource: 'pods', namespace }] : []),
  ]
}

/**
 * Checks each permission and returns the denied ones in words: `delete pods in calico-system`. Throws if the server
 * does not answer.
 */
export const accessMissing = async (kube: KubeClient, needs: Access[]): Promise<string[]> => {
  const allowed = await Promise.all(needs.map(async (access) => needed(await kube.mayI(access))))
  return needs.filter((_, index) => !allowed[index]).map(inWords)
}

const inWords = ({ verb, group, resource, namespace, name }: Access): string =>
  `${verb} ${resource}${group && `.${group}`}${name ? ` ${name}` : ''}${namespace ? ` in ${namespace}` : ''}`

/** How to fix it. */
export const accessRemedy =
  'Apply infra/kubernetes/rbac.yaml with its documents marked [changes]; docs/security.md says what each is for.'
