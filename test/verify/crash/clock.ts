/** Real time plus what was skipped: a wait costs nothing, and times only ever go forward. */
export interface Clock {
  now: () => Date
  /** Milliseconds. */
  skip: (time: number) => void
}

export const createClock = (): Clock => {
  let skipped = 0
  return {
    now: () => new Date(Date.now() + skipped),
    skip: (time) => {
      skipped += Math.max(0, time)
    },
  }
}
