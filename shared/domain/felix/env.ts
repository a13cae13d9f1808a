import type { ConfigMapState, EnvFrom, EnvVar } from '../cluster.ts'
import type { Read } from '../read.ts'

export interface ResolvedEnv {
  env: { name: string; value: string }[]
  /** Variables whose value is not known: it is not read, or a name has several spellings in random order. */
  unknownEnv: string[]
}

type ConfigMaps = Readonly<Record<string, Read<ConfigMapState | undefined>>>

/** A variable's value, or that it is not known. */
type Known = { value: string } | 'unknown'

/**
 * The environment as the kubelet builds it (kubelet_pods.go, makeEnvironmentVariables): `envFrom` in order, then
 * `env`, which takes precedence, with `$(NAME)` replaced by earlier variables. Variables whose source is not read are
 * listed as unknown. The kubelet passes the variables in the order of a Go map, so the order of two spellings of one
 * Felix parameter is random; they are unknown unless they are equal.
 */
export function resolveEnv(
  from: { env: EnvVar[]; envFrom: EnvFrom[]; namespace: string },
  configMaps: ConfigMaps,
): ResolvedEnv {
  const found = new Map<string, Known>()
  for (const source of from.envFrom) {
    const map = 'configMap' in source ? configMaps[`${from.namespace}/${source.configMap}`] : undefined
    addAll(found, source.prefix ?? '', map)
  }
  for (const variable of from.env) {
    const known = valueOfVariable(variable, found, (name) => configMaps[`${from.namespace}/${name}`])
    if (known !== undefined) found.set(variable.name, known)
  }
  return split(found)
}

/**
 * An unreadable ConfigMap or a Secret may contain any variable, and may override an earlier source: `PREFIX*`
 * represents them.
 */
function addAll(found: Map<string, Known>, prefix: string, read: Read<ConfigMapState | undefined> | undefined): void {
  if (!read || 'failure' in read) {
    for (const name of found.keys()) if (name.startsWith(prefix)) found.set(name, 'unknown')
    found.set(`${prefix}*`, 'unknown')
    return
  }
  for (const [key, value] of Object.entries(read.value?.data ?? {})) found.set(`${prefix}${key}`, { value })
}

function valueOfVariable(
  variable: EnvVar,
  found: ReadonlyMap<string, Known>,
  configMap: (name: string) => Read<ConfigMapState | undefined> | undefined,
): Known | undefined {
  if (variable.value) return expand(variable.value, found)
  if (!variable.from) return { value: '' }
  if ('unknown' in variable.from) return 'unknown'
  const read = configMap(variable.from.configMap)
  if (!read || 'failure' in read) return 'unknown'
  const value = read.value?.data[variable.from.key]
  if (value !== undefined) return { value }
  // A missing key that is not optional prevents the container from starting, so this is not the running environment.
  return variable.from.optional ? undefined : 'unknown'
}

/** `$(NAME)` and the escape `$$`, as k8s.io/kubernetes/third_party/forked/golang/expansion. */
function expand(text: string, found: ReadonlyMap<string, Known>): Known {
  let unseen = false
  const value = text.replace(/\$(\$|\(([^)]*)\))/g, (whole, escape: string, name: string | undefined) => {
    if (escape === '$') return '$'
    const known = found.get(name ?? '')
    if (known === undefined || known === 'unknown') unseen = true
    return known === undefined || known === 'unknown' ? whole : known.value
  })
  return unseen ? 'unknown' : { value }
}

function split(found: ReadonlyMap<string, Known>): ResolvedEnv {
  const values = new Map<string, Set<string>>()
  for (const [name, known] of found) {
    const lower = name.toLowerCase()
    const set = values.get(lower) ?? new Set<string>()
    values.set(lower, set.add(known === 'unknown' ? known : `=${known.value}`))
  }
  const certain = (name: string, known: Known): known is { value: string } =>
    known !== 'unknown' && values.get(name.toLowerCase())?.size === 1
  const env: ResolvedEnv['env'] = []
  const unknownEnv: string[] = []
  for (const [name, known] of found) {
    if (certain(name, known)) env.push({ name, value: known.value })
    else unknownEnv.push(name)
  }
  return { env, unknownEnv }
}
