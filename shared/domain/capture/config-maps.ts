import type { ClusterState, ConfigMapState, DaemonSetState } from '../cluster.ts'
import { keptConfig } from './config.ts'
import { configuredBy } from '../proxy-mode/configured.ts'
import { valueOf } from '../read.ts'
import { keptFields } from './fields.ts'
import { isVariable, keptEnv } from './workloads.ts'

export function configMap(
  id: string,
  { data, createdAt, managedFields }: ConfigMapState,
  state: ClusterState,
): ConfigMapState {
  const sets = (valueOf(state.daemonSets) ?? []).filter(({ namespace }) => id.startsWith(`${namespace}/`))
  const name = id.slice(id.indexOf('/') + 1)
  const config = new Set(sets.filter(({ role }) => role === 'kube-proxy').flatMap((set) => configKeys(set, name, data)))
  const variables = variableKeys(sets, name, state)
  const texts = Object.entries(data).flatMap(([key, text]) =>
    config.has(key) ? [[key, keptConfig(text)]] : variables(key) ? [[key, text]] : [],
  )
  return {
    data: Object.fromEntries(texts),
    createdAt,
    managedFields: keptFields(
      managedFields,
      [...config].map((key) => ['f:data', `f:${key}`]),
    ),
    labels: {},
    annotations: {},
  }
}

function configKeys({ template }: DaemonSetState, name: string, data: Record<string, string>): string[] {
  const place = configuredBy({ template })
  const keys = Object.keys(data)
  if (place?.configMap !== name) return []
  return place.key === undefined ? (keys.length === 1 ? keys : []) : [place.key]
}

/** Keys that calico-node's variables come from: single keys, or all keys of the ConfigMap. */
function variableKeys(sets: DaemonSetState[], name: string, state: ClusterState): (key: string) => boolean {
  const templates = sets.filter(({ role }) => role === 'calico-node').map(({ template }) => template)
  const pods = (valueOf(state.pods) ?? []).filter(({ role }) => role === 'calico-node')
  const sources = [...new Set([...templates, ...pods].map(({ env, envFrom }) => ({ env, envFrom })))]
  const named = new Set(
    sources.flatMap(({ env }) =>
      keptEnv(env).flatMap(({ from }) => (from && 'configMap' in from && from.configMap === name ? [from.key] : [])),
    ),
  )
  const prefixes = new Set(
    sources.flatMap(({ envFrom }) =>
      envFrom.flatMap((it) => ('configMap' in it && it.configMap === name ? [it.prefix ?? ''] : [])),
    ),
  )
  return (key) => named.has(key) || [...prefixes].some((prefix) => isVariable(prefix + key))
}
