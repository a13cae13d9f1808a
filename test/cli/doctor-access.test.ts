import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { needsIn, type CalicoInstall } from '../../cli/doctor/access.ts'
import { groups } from '../../shared/domain/grant/groups.ts'

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string }
  rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[]
  roleRef?: { kind: string; name: string }
  subjects?: { name: string }[]
}

const file = new URL('../../infra/kubernetes/rbac.yaml', import.meta.url)
const manifests = parseAllDocuments(readFileSync(file, 'utf8')).map((it) => it.toJS() as Manifest)

/** `kube-system get configmaps. kube-proxy`: everything that the manifest grants to a group. */
const grantedTo = (group: string): string[] => {
  const bound = manifests.filter(({ subjects = [] }) => subjects.some(({ name }) => name === group))
  const rules = bound.flatMap(({ roleRef, metadata: { namespace } }) => {
    const isMeant = (it: Manifest) =>
      it.kind === roleRef?.kind && it.metadata.name === roleRef.name && it.metadata.namespace === namespace
    return manifests.filter(isMeant).flatMap((it) => (it.rules ?? []).map((rule) => ({ namespace, ...rule })))
  })
  return rules.flatMap(({ namespace = '*', apiGroups, resources, resourceNames = [''], verbs }) =>
    apiGroups.flatMap((api) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => resourceNames.map((name) => `${namespace} ${verb} ${resource}.${api} ${name}`.trim())),
      ),
    ),
  )
}

const places: CalicoInstall[] = [
  ['projectcalico.org'],
  ['crd.projectcalico.org'],
  ['projectcalico.org', 'crd.projectcalico.org'],
].flatMap((served) => [
  { calico: 'calico-system', groups: served, operator: true },
  { calico: 'kube-system', groups: served, operator: false },
])

/** Everything that doctor asks for, wherever Calico is and however it is served. */
const askedFor = (lookOnly: boolean): string[] =>
  places
    .flatMap((place) => needsIn(place, lookOnly))
    .map(({ namespace = '*', verb, resource, subresource, group, name = '' }) =>
      `${namespace} ${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}.${group} ${name}`.trim(),
    )

const set = (rights: string[]): string[] => [...new Set(rights)].toSorted()

test.each([
  ['a viewer', groups.viewers, true],
  ['an operator', groups.operators, false],
] as const)(
  'doctor asks for what the manifest grants to %s, right by right, and for nothing else',
  (_, group, lookOnly) => {
    expect(set(askedFor(lookOnly))).toEqual(set(grantedTo(group)))
  },
)
