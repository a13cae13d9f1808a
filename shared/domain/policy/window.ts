/** When changes may be made, in local time. If there are several windows, one open window is enough. */
export interface Window {
  /** The days on which it opens; absent: every day. */
  days?: readonly Day[] | undefined
  /** `22:00`, or `22:00:30` */
  from: string
  /** If it is not later than `from`, it is on the next day; the same time means a whole day. */
  to: string
  /** A name of the tz database: `Europe/Berlin` */
  timezone: string
}

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Day = (typeof weekdays)[number]

/** `opensAt` absent: no window opens within the next days. */
export type Openness = { open: true; closesAt?: Date } | { open: false; opensAt?: Date }

const day = 86_400_000
/** A weekly window that a change of the clocks skipped opens in the following week. */
const daysAhead = 15

/** Without windows it is always open. Each window opens once on each of its days, also on days when the clocks change. */
export const openness = (windows: readonly Window[], now: Date): Openness => {
  if (windows.length === 0) return { open: true }
  const at = now.getTime()
  const hung = windows.map((window) => ({ window, wall: wallClock(window.timezone) }))
  const open = hung
    .flatMap(({ window, wall }) => [...spansAround(window, wall, { at, ahead: 1 })])
    .filter(({ start, end }) => start <= at && at < end)
  if (open.length > 0) return { open: true, closesAt: new Date(Math.max(...open.map(({ end }) => end))) }
  const next = Math.min(...hung.map(({ window, wall }) => nextStart(window, wall, at)))
  return { open: false, ...(Number.isFinite(next) && { opensAt: new Date(next) }) }
}

const nextStart = (window: Window, wall: WallClock, at: number): number => {
  for (const { start } of spansAround(window, wall, { at, ahead: daysAhead })) if (start > at) return start
  return Infinity
}

/** Milliseconds since 1970; `end` is exclusive. */
interface Span {
  start: number
  end: number
}

/** From the window of yesterday, which may extend into today, to that of this many days ahead. */
function* spansAround(
  { days, from, to }: Window,
  wall: WallClock,
  { at, ahead }: { at: number; ahead: number },
): Generator<Span> {
  const today = startOfDay(wall(at))
  const [opens, closes] = [millisecondsOf(from), millisecondsOf(to)]
  for (let date = today - day; date <= today + ahead * day; date += day) {
    if (days && !days.includes(weekdays[new Date(date).getUTCDay()] ?? 'sun')) continue
    const start = momentOf(wall, date + opens)
    const end = momentOf(wall, date + closes + (closes <= opens ? day : 0))
    // Both may be in the hour that is skipped when the clocks go forward.
    if (end > start) yield { start, end }
  }
}

const startOfDay = (wall: number): number => Math.floor(wall / day) * day

/** `22:00` → milliseconds since midnight. */
const millisecondsOf = (time: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number)
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}

/**
 * The moment at which local clocks show this time. If that happens twice, the first; if it is skipped, later by as
 * much as the clocks went forward, so that no window is lost. Calendars do the same (RFC 5545, 3.3.5).
 */
const momentOf = (wall: WallClock, shown: number): number => {
  const before = offsetAt(wall, shown - day)
  const after = offsetAt(wall, shown + day)
  const right = [shown - before, shown - after].filter((at) => wall(at) === shown)
  return right.length > 0 ? Math.min(...right) : shown - before
}

const offsetAt = (wall: WallClock, at: number): number => wall(at) - at

/** The local time at a moment, expressed as the UTC time with the same digits. */
type WallClock = (at: number) => number

/** Throws if the time zone is not known. */
const wallClock = (timezone: string): WallClock => {
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (at) => wallAt(clock, at)
}

const wallAt = (clock: Intl.DateTimeFormat, at: number): number => {
  const shown = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day: date = 1, hour = 0, minute = 0, second = 0 } = shown
  const millisecond = ((at % 1000) + 1000) % 1000
  return Date.UTC(year, month - 1, date, hour, minute, second, millisecond)
}

export const isTimezone = (name: string): boolean => {
  try {
    wallClock(name)
    return true
  } catch {
    return false
  }
}
