import { type Fieldful, isRecord } from './object.ts'

/**
 * Lists of the built-in kinds whose items are told apart by keys, by the name of the field that holds the list:
 * strategic merges join their items, field managers own them one by one. (`+listType=map` and `patchMergeKey` in
 * Kubernetes' API types.)
 */
const keysByField: Record<string, readonly (readonly string[])[]> = {
  containers: [['name']],
  initContainers: [['name']],
  ephemeralContainers: [['name']],
  env: [['name']],
  volumes: [['name']],
  volumeMounts: [['mountPath']],
  imagePullSecrets: [['name']],
  conditions: [['type']],
  addresses: [['type']],
  ownerReferences: [['uid']],
  hostAliases: [['ip']],
  ports: [
    ['containerPort', 'protocol'],
    ['port', 'protocol'],
  ],
  topologySpreadConstraints: [['topologyKey', 'whenUnsatisfiable']],
}

/** The keys that tell this list's items apart, undefined for a list that is replaced as a whole. */
export function keysOf(field: string, list: readonly unknown[]): readonly string[] | undefined {
  return keysByField[field]?.find((keys) => list.every((item) => isRecord(item) && hasKeys(item, keys)))
}

const hasKeys = (item: Fieldful, keys: readonly string[]): boolean => item[keys[0] ?? ''] !== undefined

const defaultOf: Record<string, unknown> = { protocol: 'TCP' }

/** `{"name":"x"}`: an item's identity, also the way FieldsV1 writes it. */
export function identityOf(item: unknown, keys: readonly string[]): string {
  const values = isRecord(item) ? item : {}
  return JSON.stringify(Object.fromEntries([...keys].sort().map((key) => [key, values[key] ?? defaultOf[key]])))
}
