import { parameterFields } from './params.ts'
import { everyCheckedField } from './spec-checks.ts'

/**
 * Fields of a FelixConfiguration's spec that are evaluated for any version: their value, or whether Go can read them.
 */
export const specFields: ReadonlySet<string> = new Set([...parameterFields, ...everyCheckedField, 'nodeSelector'])
