/** Inclusive on both ends. */
export interface PortRange {
  min: number
  max: number
}

export type PortListResult = { ok: true; ranges: PortRange[] } | { ok: false; reason: string }

/**
 * `annotation`: the exact text to write. `spec` is absent if Calico's API would reject the list (more than 7 items).
 */
export type WriteCheck =
  | { ok: true; ranges: PortRange[]; annotation: string; spec?: (number | string)[] }
  | { ok: false; reason: string }

const order = (a: PortRange, b: PortRange): number => a.min - b.min || a.max - b.max

const isNormal = (ranges: readonly PortRange[]): boolean =>
  ranges.every((range, at) => range.min <= range.max && (at === 0 || range.min > (ranges[at - 1]?.max ?? 0) + 1))

/** Ascending, disjoint, merged where they overlap or touch. Returns the same array if it is already normalised. */
export function normalise(ranges: readonly PortRange[]): PortRange[] {
  if (isNormal(ranges)) return ranges as PortRange[]
  const merged: PortRange[] = []
  for (const { min, max } of ranges.filter((range) => range.min <= range.max).sort(order)) {
    const last = merged.at(-1)
    if (last && min <= last.max + 1) last.max = Math.max(last.max, max)
    else merged.push({ min, max })
  }
  return merged
}

/** Compares sets of ports: order, splits and duplicates do not matter. */
export function sameRanges(a: readonly PortRange[], b: readonly PortRange[]): boolean {
  const left = normalise(a)
  const right = normalise(b)
  return left.length === right.length && left.every((it, at) => it.min === right[at]?.min && it.max === right[at]?.max)
}

const formatRange = ({ min, max }: PortRange): string => (min === max ? `${min}` : `${min}:${max}`)

/** Normalised, as reports show it: `30000:32767`, `31000`. */
export const formatRanges = (ranges: readonly PortRange[]): string[] => normalise(ranges).map(formatRange)

/**
 * The only notation that this tool writes: `30000:32767,31000`. An empty list is `none`, because Felix ignores an
 * empty value.
 */
export const annotationValue = (ranges: readonly PortRange[]): string => formatRanges(ranges).join(',') || 'none'

/** The ports of `a` that are not in `b`, normalised. */
export function subtract(a: readonly PortRange[], b: readonly PortRange[]): PortRange[] {
  const taken = normalise(b)
  return normalise(a).flatMap((range) => without(range, taken))
}

function without(range: PortRange, taken: readonly PortRange[]): PortRange[] {
  const left: PortRange[] = []
  let { min } = range
  for (const hole of taken) {
    if (hole.max < min || hole.min > range.max) continue
    if (hole.min > min) left.push({ min, max: hole.min - 1 })
    min = hole.max + 1
  }
  return min <= range.max ? [...left, { min, max: range.max }] : left
}

/** Whether every port of `inner` is in `outer`. */
export const covers = (outer: readonly PortRange[], inner: readonly PortRange[]): boolean =>
  subtract(inner, outer).length === 0

// numorstring.PortFromString (api/pkg/lib/numorstring/port.go): digits or digits:digits are ports, anything else is a
// name if it has the characters of a name. A name and a malformed range give different messages.
const nameForm = /^[a-zA-Z0-9_.-]{1,128}$/

/**
 * Felix's `portrange-list` parser (felix/config/param_types.go, PortRangeListParam): split on commas only, no spaces,
 * 0 to 65535, leading zeros allowed. The reason is Felix's own message.
 */
export function parsePortList(text: string): PortListResult {
  const ranges: PortRange[] = []
  for (const item of text.split(',')) {
    const range = parsePort(item)
    if (typeof range === 'string') return { ok: false, reason: range }
    ranges.push(range)
  }
  return { ok: true, ranges }
}

/** Text that Felix treats as the name of a port, such as `http` or `30000-32767`. */
export const isPortName = (item: string): boolean => !isPorts(item.split(':', 3)) && nameForm.test(item)

const isPorts = ([first = '', last = first, ...more]: string[]): boolean =>
  more.length === 0 && isDigits(first) && isDigits(last)

function parsePort(item: string): PortRange | string {
  const parts = item.split(':', 3)
  if (!isPorts(parts)) return isPortName(item) ? `${item} has port name set` : `${item} is not a valid port range`
  const [first = '', last = first] = parts
  const [min, max] = [Number(first), Number(last)]
  return min <= max && max <= 65535 ? { min, max } : `${item} is not a valid port range`
}

/** ASCII digits only, as in Go. Without a regular expression, which would overflow the stack on megabytes of digits. */
export function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return false
  return text.length > 0
}

/**
 * The maximum number of separate ranges that are compared and written. A range of two thousand ports can have at most
 * a thousand separate ranges. Longer lists would make the report too long: they are reported, and a person must check
 * them.
 */
export const rangesAtMost = 1_500

/** Characters of such a list as this tool writes it. */
export const rangeTextAtMost = rangesAtMost * '65535:65535,'.length

/**
 * Calico's API rejects more (libcalico-go/lib/validator/v3, validateFelixConfigSpec); Felix itself accepts any
 * number.
 */
export const specItemsMax = 7

/** Strict, before any write: whole numbers, 1 to 65535, ordered, disjoint, at least one. */
export function validRangesForWrite(ranges: readonly PortRange[]): WriteCheck {
  const wrong = ranges.find((it) => !isPort(it.min) || !isPort(it.max) || it.min > it.max)
  if (wrong) return { ok: false, reason: `${wrong.min}:${wrong.max} is not a range of ports from 1 to 65535` }
  if (ranges.length === 0) return { ok: false, reason: 'an empty list would leave Felix without any node port' }
  const normal = normalise(ranges)
  const annotation = annotationValue(normal)
  if (normal.length > specItemsMax) return { ok: true, ranges: normal, annotation }
  return {
    ok: true,
    ranges: normal,
    annotation,
    spec: normal.map((it) => (it.min === it.max ? it.min : formatRange(it))),
  }
}

export const mayBeWritten = (text: string): boolean => {
  const parsed = parsePortList(text)
  return parsed.ok && validRangesForWrite(parsed.ranges).ok
}

export const isPort = (it: unknown): it is number => Number.isInteger(it) && Number(it) >= 1 && Number(it) <= 65535
