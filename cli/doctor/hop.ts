/** One hop of the connection to a cluster. */
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

/** Hops in their order. One that fails keeps from being tried only those that need it. */
export interface Walk {
  hops: Hop[]
  /** `undefined`: it failed, or one that it needs did. `needs`: hops by name, of which those that were taken count. */
  take: <T>(
    hop: string,
    act: () => Promise<{ detail: string; value: T }>,
    fix: string,
    needs?: readonly string[],
  ) => Promise<T | undefined>
  leaveOut: (hop: string, detail: string) => void
}

export const walk = (doing: (text: string) => void): Walk => {
  const hops: Hop[] = []
  return {
    hops,
    leaveOut: (hop, detail) => hops.push({ hop, state: 'left out', detail }),
    take: async (hop, act, fix, needs = []) => {
      const missing = hops.find((it) => needs.includes(it.hop) && (it.state === 'failed' || it.state === 'not tried'))
      if (missing) {
        hops.push({ hop, state: 'not tried', detail: `it needs ${missing.hop}` })
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
