/** One effect on the world outside: a write to Kubernetes or a table, a message sent or acknowledged, a notice. */
export interface Effect {
  what: string
}

/** Where a process is to die: at which effect, and whether the effect still takes place. */
export interface Doom {
  at: number
  moment: 'before' | 'after'
}

export interface Fate {
  /** Effects so far, those of processes that died at them included. */
  effects: Effect[]
  /** The effect at which a process died, once it has. */
  struck?: Effect
  born: () => Life
}

/** A process: its effects, until it dies. Then nothing of it goes on, and nobody hears of it. */
export interface Life {
  effect: <T>(what: string, act: () => Promise<T>) => Promise<T>
  /** What the process makes of its work, or that it died over it. */
  live: (work: () => Promise<void>) => Promise<'done' | 'died' | Error>
}

const never = new Promise<never>(() => undefined)

export const createFate = (doom?: Doom): Fate => {
  const fate: Fate = { effects: [], born: () => born(fate, doom) }
  return fate
}

const born = (fate: Fate, doom: Doom | undefined): Life => {
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
      fate.effects.push(effect)
      if (doom?.at !== fate.effects.length - 1) {
        const answer = await act()
        return alive ? answer : never
      }
      fate.struck = effect
      if (doom.moment === 'after') await act()
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
