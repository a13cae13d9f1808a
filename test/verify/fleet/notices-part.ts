import { assemble } from '../../flow/assemble.ts'
import { nextSecond } from '../../until.ts'
import type { Claim, Sizes } from './claim.ts'
import { settings, sweptFleet, type SweptFleet } from './swept.ts'

/**
 * All clusters change within one sweep, and in one of them a rollout has halted: what people hear of it. `settleSeconds`: notices wait so
 * long for others, which is more than a look takes.
 */
export const noticesPart = async (folder: string, { changing }: Sizes, settleSeconds = 20): Promise<Claim[]> => {
  const digest = { moreThan: 10, settleSeconds }
  const shape = { well: changing, halting: 1, unreachable: 0, denied: 0, vanishing: 0, closing: 0 }
  const fleet = await sweptFleet(await assemble(folder, { ...settings, notices: { digest } }), shape)
  try {
    const quiet = await heardIn(fleet)
    await fleet.halt()
    await fleet.cut()
    const heard = await heardIn(fleet)
    const [first, second] = heard
    return [
      { claim: 'of a fleet that is well people hear nothing', holds: quiet.length === 0, detail: quiet.join(' · ') },
      {
        claim: `${changing} clusters that change in one sweep are one notice`,
        holds: heard.length === 2 && second?.startsWith(`[warning] ${changing} clusters (`) === true,
        detail: heard.slice(0, 5).join(' · '),
      },
      {
        claim: 'a rollout that has halted is told before it, by itself and as critical',
        holds: first?.startsWith('[critical] halting-0 (') === true && first.includes('rollout halted'),
        ...(first !== undefined && { detail: first }),
      },
    ]
  } finally {
    await fleet.stop()
  }
}

/** Subjects of the mails of one sweep, from its schedule to the last of them. A sweep's id has whole seconds. */
const heardIn = async ({ cloud }: SweptFleet): Promise<string[]> => {
  await nextSecond()
  const from = cloud.deliveries.length
  cloud.fire()
  await cloud.idle({ timeoutMilliseconds: 900_000 })
  return cloud.deliveries.slice(from).flatMap(({ subject }) => subject ?? [])
}
