import { type PortRange, sameRanges, subtract } from '../ports.ts'

/** The ports in which the range that Felix uses differs from the desired range. */
export interface RangeDifference {
  missing: PortRange[]
  extra: PortRange[]
}

/**
 * Compares a node's range with the desired one; undefined: no difference, or one of them is not known. Equal nodes
 * share a list and its result.
 */
export function rangeComparison(
  desired: readonly PortRange[] | undefined,
): (effective: PortRange[] | undefined) => RangeDifference | undefined {
  const known = new Map<PortRange[], RangeDifference | undefined>()
  return (effective) => {
    if (!effective || !desired) return undefined
    if (!known.has(effective)) known.set(effective, difference(effective, desired))
    return known.get(effective)
  }
}

const difference = (effective: PortRange[], desired: readonly PortRange[]): RangeDifference | undefined =>
  sameRanges(effective, desired)
    ? undefined
    : { missing: subtract(desired, effective), extra: subtract(effective, desired) }
