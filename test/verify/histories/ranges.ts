import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { rangeKey } from '../../domain/states.ts'
import type { Cluster } from './cluster.ts'

export const rangeText = ({ eks }: Cluster): string => {
  const { min, max } = eks.serviceNodePortRange ?? { min: 30000, max: 32767 }
  return `${min}:${max}`
}

/** The range that Felix on a node goes by: its own object, then `default`; the annotation before the field. */
export const rangeOn = ({ felix }: Cluster, machine: string): string | undefined =>
  rangeIn(felix.get(`node.${machine}`)) ?? rangeIn(felix.get('default'))

/** The annotations in the copy of the metadata of a stored object, which take precedence. */
export const copyIn = (object: FelixObject | undefined): Record<string, string> =>
  (
    JSON.parse(object?.annotations['projectcalico.org/metadata'] ?? '{}') as {
      annotations?: Record<string, string>
    } | null
  )?.annotations ?? {}

/** Felix reads the names of its parameters in any case. */
export const otherSpelling = rangeKey.toLowerCase()

export const rangeIn = (object: FelixObject | undefined): string | undefined => {
  return copyIn(object)[rangeKey] ?? writtenIn(object)
}

/** The range without that of the copy. */
export const writtenIn = (object: FelixObject | undefined): string | undefined => {
  const field = object?.spec['kubeNodePortRanges'] as (string | number)[] | undefined
  // The list reaches Felix as text that it cannot read: a value of its own, which is never the wanted one.
  return object?.annotations[rangeKey] ?? object?.annotations[otherSpelling] ?? (field && `[${field.join(' ')}]`)
}

/** Undefined: a text that is no range, as EKS takes none and Felix ignores. */
export const portsIn = (text: string | undefined): { min: number; max: number } | undefined => {
  const [min = 0, max = 0] = (text ?? '').split(':').map(Number)
  return min > 0 && min <= max ? { min, max } : undefined
}
