import type { LabCluster } from '../../lab/cluster.ts'
import { collectionOf, type Manifest, manifestsIn } from '../../lab/fixtures/manifests.ts'
import type { Access, KubeClient } from '../../shared/clients/kube/client.ts'
import { valueOf } from '../../shared/domain/read.ts'
import { mergePatch } from './world.ts'
import { until } from '../until.ts'

/** One verb on one resource of one group, by one name where the rule names any: what can be taken away by itself. */
export interface Right {
  /** `Role/kube-system/calico-ipvs-sync-viewer` */
  role: string
  group: string
  resource: string
  verb: string
  name?: string
}

interface Rule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

interface Role extends Manifest {
  rules?: Rule[]
}

export const manifests = manifestsIn<Role>('rbac.yaml')
const idOf = ({ kind, metadata: { namespace, name } }: Manifest): string =>
  [kind, namespace, name].filter(Boolean).join('/')

/** Everything the manifest grants, right by right. */
export const rights: readonly Right[] = manifests.flatMap((manifest) =>
  (manifest.rules ?? []).flatMap(rightsOf(idOf(manifest))),
)

function rightsOf(role: string) {
  return ({ apiGroups, resources, resourceNames, verbs }: Rule): Right[] =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          (resourceNames ?? [undefined]).map((name) => ({
            role,
            group,
            resource,
            verb,
            ...(name !== undefined && { name }),
          })),
        ),
      ),
    )
}

/** `Role/kube-system/calico-ipvs-sync-viewer: get configmaps kube-proxy` */
export const textOf = ({ role, group, resource, verb, name }: Right): string =>
  `${role}: ${[verb, group === '' ? resource : `${resource}.${group}`, name].filter(Boolean).join(' ')}`

const asRule = ({ group, resource, verb, name }: Right): Rule => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [verb],
  ...(name !== undefined && { resourceNames: [name] }),
})

/** Runs while this one right is missing from its role, as soon as the server's authorizer knows of it; then puts it back. */
export async function without<T>(
  { cluster, kube }: { cluster: LabCluster; kube: KubeClient },
  right: Right,
  act: () => Promise<T>,
): Promise<T> {
  const manifest = manifests.find((it) => idOf(it) === right.role)
  if (!manifest) throw new Error(`${right.role} is not in the manifest`)
  const path = `${collectionOf(manifest)}/${manifest.metadata.name}`
  const others = rights.filter((it) => it !== right && it.role === right.role).map(asRule)
  const write = (rules: Rule[] | undefined) => cluster.request('PATCH', path, { rules }, mergePatch)
  const known = (allowed: boolean) =>
    until(`${textOf(right)} ${allowed ? 'to be granted' : 'to be taken away'}`, async () => {
      return valueOf(await kube.mayI(accessOf(right))) === allowed
    })
  await write(others)
  try {
    await known(false)
    return await act()
  } finally {
    await write(manifest.rules)
    await known(true)
  }
}

function accessOf({ role, group, resource, verb, name }: Right): Access {
  const [kind, namespace] = role.split('/')
  const [plain = '', subresource] = resource.split('/')
  return {
    verb,
    group,
    resource: plain,
    ...(subresource !== undefined && { subresource }),
    ...(kind === 'Role' && namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  }
}
