import { setTimeout as sleep } from 'node:timers/promises'

export const until = async (what: string, holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> => {
  for (const end = Date.now() + seconds * 1000; !(await holds()); await sleep(50))
    if (Date.now() > end) throw new Error(`${what} did not come about within ${seconds} s`)
}
