import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { groups } from '../../shared/domain/grant/groups.ts'
import { lease } from '../../shared/domain/rollout/annotations.ts'

interface Rule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string }
  rules?: Rule[]
  roleRef?: { kind: string; name: string }
  subjects?: { kind: string; name: string }[]
}

const text = readFileSync(new URL('../../infra/kubernetes/rbac.yaml', import.meta.url), 'utf8')
const parsed = (yaml: string) => parseAllDocuments(yaml).map((document) => document.toJS() as Manifest)
const manifests = parsed(text)

const rulesFor = (group: string): [namespace: string, rule: Rule][] =>
  manifests
    .filter(({ subjects }) => subjects?.some(({ kind, name }) => kind === 'Group' && name === group))
    .flatMap(({ roleRef, metadata: { namespace } }) =>
      manifests
        .filter(
          ({ kind, metadata }) =>
            kind === roleRef?.kind && metadata.name === roleRef.name && metadata.namespace === namespace,
        )
        .flatMap(({ rules = [] }) => rules.map((rule): [string, Rule] => [namespace ?? '*', rule])),
    )

/** `namespace verb group/resource[name,…]` */
const permissions = (group: string) =>
  rulesFor(group)
    .flatMap(([namespace, { apiGroups, resources, verbs, resourceNames }]) =>
      apiGroups.flatMap((api) =>
        resources.flatMap((resource) =>
          verbs.map(
            (verb) => `${namespace} ${verb} ${api}/${resource}${resourceNames ? `[${resourceNames.join()}]` : ''}`,
          ),
        ),
      ),
    )
    .toSorted()

const looking = [
  '* list /nodes',
  '* list /services',
  '* list apps/daemonsets',
  '* list admissionregistration.k8s.io/validatingwebhookconfigurations',
  '* list admissionregistration.k8s.io/mutatingwebhookconfigurations',
  '* list discovery.k8s.io/endpointslices',
  '* list crd.projectcalico.org/felixconfigurations',
  '* list projectcalico.org/felixconfigurations',
  '* get crd.projectcalico.org/clusterinformations[default]',
  '* get projectcalico.org/clusterinformations[default]',
  '* get operator.tigera.io/installations[default]',
  'kube-system list /pods',
  'kube-system get /pods/log',
  'kube-system get /configmaps[kube-proxy-config,kube-proxy,kubernetes-services-endpoint,calico-config]',
  'kube-system get coordination.k8s.io/leases[calico-ipvs-sync]',
  'default list /events',
  'calico-system list /pods',
  'calico-system get /pods/log',
]

const changing = [
  ...['create', 'patch', 'delete'].flatMap((verb) => [
    `* ${verb} crd.projectcalico.org/felixconfigurations`,
    `* ${verb} projectcalico.org/felixconfigurations`,
  ]),
  'kube-system delete /pods',
  'kube-system create coordination.k8s.io/leases',
  'kube-system patch coordination.k8s.io/leases[calico-ipvs-sync]',
  'calico-system delete /pods',
]

describe('RBAC', () => {
  test('viewers read what a check reads, and change nothing', () => {
    expect(permissions(groups.viewers)).toEqual(looking.toSorted())
  })

  test('operators read the same and change what a rollout changes', () => {
    expect(permissions(groups.operators)).toEqual([...looking, ...changing].toSorted())
  })

  test('nothing is granted by a pattern, and no binding grants to anybody else', () => {
    expect(text).not.toContain("'*'")
    expect(text).not.toContain('"*"')
    const subjects = manifests.flatMap(({ subjects = [] }) => subjects.map(({ name }) => name))
    expect(new Set(subjects)).toEqual(new Set(Object.values(groups)))
  })

  test('the lock is the Lease that the rollout takes', () => {
    expect(permissions(groups.operators)).toContain(
      `${lease.namespace} patch coordination.k8s.io/leases[${lease.name}]`,
    )
  })

  test('what changes is marked, so that it can be left out', () => {
    const marked = text.split(/^---$/m).filter((document) => document.includes('\n# [changes]\n'))
    const names = marked.flatMap(parsed).map(({ metadata }) => metadata.name)
    expect(names.every((name) => name.startsWith('calico-ipvs-sync-operator'))).toBe(true)
    expect(names).toHaveLength(
      manifests.filter(({ metadata }) => metadata.name.startsWith('calico-ipvs-sync-operator')).length,
    )
  })
})
