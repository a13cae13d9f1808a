import { setTimeout as sleep } from 'node:timers/promises'

type Answer<T> = T | undefined | false

/**
 * Asks again and again for what is awaited, and answers it. Throws where it did not come about in time; `what`: the name of what
 * is awaited, or a function that says how things stand at the end. `pause`: milliseconds between two questions.
 */
export const until = async <T>(
  what: string | (() => string),
  ask: () => Answer<T> | Promise<Answer<T>>,
  seconds = 60,
  pause = 20,
): Promise<T> => {
  for (const end = Date.now() + seconds * 1000; ; await sleep(pause)) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end)
      throw new Error(
        typeof what === 'string' ? `${what} did not come about within ${seconds} s` : `${what()}, after ${seconds} s.`,
      )
  }
}

/** Times of the API server and ids of sweeps have whole seconds: what shall be later than all before waits for the next. */
export const nextSecond = (): Promise<void> => sleep(1_050 - (Date.now() % 1_000))
