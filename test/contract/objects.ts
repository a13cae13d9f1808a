import { standInDefinitions } from '../../lab/embedded/calico-definitions.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { type Json, call } from './behaviour.ts'
import { until } from '../until.ts'

export const felixPath = '/apis/crd.projectcalico.org/v1/felixconfigurations'

export const felix = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'FelixConfiguration',
  metadata: { name, ...metadata },
  spec,
})

export const configMap = (name: string, data: Record<string, string>, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
})

export const service = (name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'none' }, ...spec },
})

export const nodePortService = (name: string, nodePort: number) =>
  service(name, { type: 'NodePort', ports: [{ port: 80, nodePort }] })

export const crd = standInDefinitions

/** A namespace of the behaviour's own; answers the path of a collection in it. */
export async function namespaced(cluster: LabCluster, name: string): Promise<(plural: string, api?: string) => string> {
  const { status, text } = await call(cluster, 'POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  })
  if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${status} ${text}`)
  return (plural, api = '/api/v1') => `${api}/namespaces/${name}/${plural}`
}

/** Creates an object and answers it as stored. */
export async function created(cluster: LabCluster, path: string, body: unknown): Promise<Json> {
  const { status, json, text } = await call(cluster, 'POST', path, { body })
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${text}`)
  return json
}

/** The definitions the behaviours' custom resources need, the same on every server under contract. */
export async function prepare(cluster: LabCluster): Promise<void> {
  for (const definition of standInDefinitions) {
    await call(cluster, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition })
    const { group, names } = definition['spec'] as { group: string; names: { plural: string } }
    const path = `/apis/${group}/v1/${names.plural}`
    await until(`${path} is served`, async () => (await call(cluster, 'GET', path)).status === 200)
  }
}
