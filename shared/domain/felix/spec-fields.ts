import { parameterFields } from './params.ts'
import { everyCheckedField } from './spec-checks.ts'

/** Fields of a FelixConfiguration's spec that any version is asked about: by value, or by whether Go can read them. */
export const specFields: ReadonlySet<string> = new Set([...parameterFields, ...everyCheckedField, 'nodeSelector'])
