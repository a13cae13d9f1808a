import type { LabCluster } from '../../lab/cluster.ts'
import { installCrds } from '../../lab/control-plane/crds.ts'
import type { KubernetesObject } from '../../lab/binaries.ts'
import { items, removed } from './world.ts'
import { until } from '../until.ts'

interface Definition extends KubernetesObject {
  spec: { group: string; names: { kind: string; plural: string }; versions: { name: string }[] }
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const old = 'crd.projectcalico.org'

/**
 * What recent versions of Calico can do: `projectcalico.org/v3` is served by the API server itself from definitions of
 * that group, without an aggregated API server, and there is no `crd.projectcalico.org`. The objects move with it.
 */
export async function servedNatively(cluster: LabCluster): Promise<void> {
  const all = (await items(cluster, definitions)) as unknown as Definition[]
  const calicos = all.filter(({ spec }) => spec.group === old)
  const moving = calicos.filter(({ spec }) => /^(felixconfigurations|clusterinformations)$/.test(spec.names.plural))
  const kept = await Promise.all(
    moving.map(async ({ spec: { names } }) => ({
      names,
      objects: await items(cluster, `/apis/${old}/v1/${names.plural}`),
    })),
  )
  await Promise.all(calicos.map(({ metadata }) => removed(cluster, `${definitions}/${metadata.name}`)))
  await installCrds(cluster, moving.map(native))
  for (const { names, objects } of kept) {
    for (const { metadata, spec } of objects) {
      const [apiVersion, kind] = ['projectcalico.org/v3', names.kind]
      const object = { apiVersion, kind, metadata: { name: metadata.name }, spec }
      await until(`${names.plural} to be served`, () =>
        created(cluster, `/apis/projectcalico.org/v3/${names.plural}`, object),
      )
    }
  }
  await until('the old group to go', async () => {
    const { groups } = (await cluster.request('GET', '/apis')) as { groups: { name: string }[] }
    return groups.every(({ name }) => name !== old) && groups.some(({ name }) => name === 'projectcalico.org')
  })
}

const created = async (cluster: LabCluster, path: string, object: object): Promise<boolean> => {
  try {
    await cluster.request('POST', path, object)
    return true
  } catch {
    return false
  }
}

const native = ({ spec }: Definition): KubernetesObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${spec.names.plural}.projectcalico.org` },
  spec: { ...spec, group: 'projectcalico.org', versions: spec.versions.map((it) => ({ ...it, name: 'v3' })) },
})
