import type { FelixObject } from '../cluster.ts'
import { specFields } from '../felix/spec-fields.ts'
import { foreignSettings, keptAnnotations, keptLabels } from './annotations.ts'
import { leftOut } from '../plain.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'
import { isMarked } from '../rollout/marks.ts'
import { keptFields, only } from './fields.ts'

const isKnown = (field: string): boolean => specFields.has(field)

/** All fields of our overrides are kept: only then it can be verified that they contain nothing else. */
const masked = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(spec).map(([field, value]) => [field, isKnown(field) ? value : leftOut]))

export function felixObject(it: FelixObject): FelixObject {
  const { name, uid, resourceVersion, createdAt } = it
  return {
    name,
    uid,
    resourceVersion,
    createdAt,
    labels: keptLabels(it.labels),
    annotations: { ...(isMarked(it) && foreignSettings(it.annotations)), ...keptAnnotations(it.annotations) },
    spec: isMarked(it) ? masked(it.spec) : only(it.spec, isKnown),
    managedFields: keptFields(it.managedFields, [
      ['f:spec', 'f:kubeNodePortRanges'],
      ['f:metadata', 'f:annotations', `f:${rangeAnnotation}`],
    ]),
  }
}
