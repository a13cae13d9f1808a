import type { Chapter, Claim } from './claim.ts'
import { layGround } from './ground.ts'
import { ignoredField } from './ignored-field.ts'
import { type Told, writeResults } from './results.ts'
import { stagedChange } from './staged-change.ts'

export const chapters: readonly Chapter[] = [ignoredField, stagedChange]

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** All chapters, or those named, one after the other. Answers whether every claim held. */
export async function prove(only?: readonly string[]): Promise<boolean> {
  const begun = Date.now()
  const told: Told[] = []
  for (const chapter of chapters.filter(({ name }) => only === undefined || only.includes(name))) {
    say(`\n${chapter.title}`)
    told.push({ title: chapter.title, claims: await claimsOf(chapter) })
  }
  const seconds = Math.round((Date.now() - begun) / 1000)
  const claims = told.flatMap((it) => it.claims)
  const held = claims.filter(({ holds }) => holds).length
  writeResults(told, { seconds, whole: only === undefined })
  say(`\n${held} of ${claims.length} claims held, in ${seconds} s.`)
  return held === claims.length
}

async function claimsOf({ name, ground: spec, prove: show }: Chapter): Promise<Claim[]> {
  const claims: Claim[] = []
  const ground = await layGround(name, spec)
  try {
    await show(ground, (claim) => {
      claims.push(claim)
      say(`  ${claim.holds ? '✓' : '✗'} ${claim.claim}\n      ${claim.command}\n      ${claim.seen}`)
    })
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error)
    const broken = {
      claim: 'This chapter comes to its end.',
      command: `npm run proof -- --only ${name}`,
      seen,
      holds: false,
    }
    claims.push(broken)
    say(`  ✗ ${broken.claim}\n      ${seen}`)
  } finally {
    await ground.stop()
  }
  return claims
}
