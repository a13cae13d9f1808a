/** One hop on the way to a cluster. */
export interface Hop {
  hop: string
  /** `left out`: it does not apply here · `not tried`: an earlier one failed. */
  state: 'ok' | 'failed' | 'left out' | 'not tried'
  detail: string
  /** What to paste to fix it. */
  fix?: string
}

export class HopFailure extends Error {
  override name = 'HopFailure'
  readonly fix: string

  constructor(message: string, fix: string) {
    super(message)
    this.fix = fix
  }
}

/** Hops in their order; after the first that fails the others are named and not tried. */
export interface Walk {
  hops: Hop[]
  /** `undefined`: it failed, or was not reached. */
  take: <T>(hop: string, act: () => Promise<{ detail: string; value: T }>, fix: string) => Promise<T | undefined>
  leaveOut: (hop: string, detail: string) => void
}

export const walk = (doing: (text: string) => void): Walk => {
  const hops: Hop[] = []
  const isOver = () => hops.some(({ state }) => state === 'failed')
  return {
    hops,
    leaveOut: (hop, detail) => hops.push({ hop, state: 'left out', detail }),
    take: async (hop, act, fix) => {
      if (isOver()) {
        hops.push({ hop, state: 'not tried', detail: 'an earlier hop failed' })
        return undefined
      }
      doing(`trying ${hop}`)
      try {
        const { detail, value } = await act()
        hops.push({ hop, state: 'ok', detail })
        return value
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error)
        hops.push({ hop, state: 'failed', detail, fix: error instanceof HopFailure ? error.fix : fix })
        return undefined
      }
    },
  }
}
