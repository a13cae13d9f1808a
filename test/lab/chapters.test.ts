import { expect, jest, test } from '@jest/globals'
import type { Chapter, Shown } from '../verify/chapters/chapter.ts'
import { tellAll } from '../verify/chapters/tell.ts'

interface Ground {
  workdir: string
  stop: () => Promise<void>
}

/** Which chapters were told on which ground, and which grounds were stopped. */
async function told(firstHolds: boolean, only?: string[]): Promise<{ on: string[]; stopped: number[] }> {
  const [on, stopped]: [string[], number[]] = [[], []]
  let grounds = 0
  const chapter = (name: string, holds: boolean, continues?: string): Chapter<Ground, Shown> => ({
    name,
    title: name,
    ...(continues !== undefined && { continues }),
    prove: async ({ workdir }, claim) => {
      on.push(`${name} on ${workdir}`)
      claim({ claim: name, command: '', holds })
    },
  })
  const chapters = [chapter('first', firstHolds), chapter('second', true, 'first'), chapter('third', true)]
  jest.spyOn(process.stdout, 'write').mockReturnValue(true)
  const lay = async () => {
    grounds += 1
    const number = grounds
    return { workdir: `/nonexistent/${number}`, stop: async () => void stopped.push(number) }
  }
  const broken = (claim: Shown) => claim
  await tellAll<Ground, Shown, Chapter<Ground, Shown>>(
    { name: 'x', chapters, lay, lines: () => [], broken, write: () => undefined },
    only,
  ).finally(() => jest.restoreAllMocks())
  return { on: on.map((it) => it.replace('/nonexistent/', '')), stopped }
}

test('a chapter that continues another takes over its ground, and each ground is stopped once', async () => {
  expect(await told(true)).toEqual({ on: ['first on 1', 'second on 1', 'third on 2'], stopped: [1, 2] })
})

test('it has a ground of its own where a claim of the other did not hold, or the other was not asked for', async () => {
  expect(await told(false)).toEqual({ on: ['first on 1', 'second on 2', 'third on 3'], stopped: [1, 2, 3] })
  expect(await told(true, ['second', 'third'])).toEqual({ on: ['second on 1', 'third on 2'], stopped: [1, 2] })
})
