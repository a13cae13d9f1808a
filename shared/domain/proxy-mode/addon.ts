import type { ClusterState, DaemonSetState } from '../cluster.ts'
import { leftOut } from '../plain.ts'
import { valueOf } from '../read.ts'
import type { Evidence, Mode } from '../report.ts'
import { yamlOf } from './yaml.ts'

/** The mode in the configuration values of EKS's kube-proxy add-on. */
export interface AddonMode {
  mode: Mode
  /** All of its values, as a document. */
  values: object
  evidence: Evidence
}

const modes: readonly string[] = ['iptables', 'ipvs', 'nftables'] satisfies Mode[]

/** Far more than the add-on's schema needs. */
const valuesLength = 64 * 2 ** 10

/** Undefined if the add-on does not manage this DaemonSet, or its values do not set the mode. */
export function addonMode(state: ClusterState, { namespace, name }: DaemonSetState): AddonMode | undefined {
  const addon = valueOf(valueOf(state.eks)?.kubeProxyAddon)
  if (!addon || namespace !== 'kube-system' || name !== 'kube-proxy') return undefined
  return understood(addon.configurationValues ?? '')
}

const shown: readonly string[] = ['mode', 'ipvs', 'resources']

/** Whether there are other values (environment, annotations), which may hold secrets and are never printed. */
export const hasMore = (values: object): boolean => Object.keys(values).some((key) => !shown.includes(key))

/** Keeps the mode and its settings; of all other values only their names. */
export function keptAddonValues(text: string): string {
  const values = understood(text)?.values
  if (!values) return ''
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, shown.includes(key) ? (value as unknown) : leftOut]),
    ),
  )
}

/** JSON or YAML, as configured. */
function understood(text: string): AddonMode | undefined {
  if (text.length > valuesLength) return undefined
  try {
    const values: unknown = yamlOf(text)
    if (typeof values !== 'object' || values === null || !('mode' in values)) return undefined
    const { mode } = values
    if (typeof mode !== 'string' || !modes.includes(mode)) return undefined
    const evidence = { object: 'eks:DescribeAddon', field: 'configurationValues.mode', value: mode }
    return { mode: mode as Mode, values, evidence }
  } catch {
    return undefined
  }
}
