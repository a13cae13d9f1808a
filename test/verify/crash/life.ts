/** One effect on the world outside: a write to Kubernetes or a table, a message sent or acknowledged, a notice. */
export interface Effect {
  what: string
}

/** Where a process is to die: at which effect, and whether the effect still takes place. */
export interface CrashPoint {
  at: number
  moment: 'before' | 'after'
}

export interface Crashes {
  /** Effects so far, those of processes that died at them included. */
  effects: Effect[]
  /** The effect at which a process died, once it has. */
  struck?: Effect
  start: () => Life
}

/** A process: its effects, until it dies. Then nothing of it goes on, and nobody hears of it. */
export interface Life {
  effect: <T>(what: string, act: () => Promise<T>) => Promise<T>
  /** What the process makes of its work, or that it died over it. */
  live: (work: () => Promise<void>) => Promise<'done' | 'died' | Error>
}

const never = new Promise<never>(() => undefined)

export const createCrashes = (crashPoint?: CrashPoint): Crashes => {
  const crashing: Crashes = { effects: [], start: () => start(crashing, crashPoint) }
  return crashing
}

const start = (crashing: Crashes, crashPoint: CrashPoint | undefined): Life => {
  let alive = true
  let die = (): void => undefined
  const death = new Promise<'died'>((resolve) => {
    die = () => {
      alive = false
      resolve('died')
    }
  })
  return {
    effect: async (what, act) => {
      if (!alive) return never
      const effect = { what }
      crashing.effects.push(effect)
      if (crashPoint?.at !== crashing.effects.length - 1) {
        const answer = await act()
        return alive ? answer : never
      }
      crashing.struck = effect
      if (crashPoint.moment === 'after') await act()
      die()
      return never
    },
    live: (work) =>
      Promise.race([
        death,
        work().then(
          () => 'done' as const,
          (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
        ),
      ]),
  }
}
