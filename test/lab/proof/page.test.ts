import { describe, expect, test } from '@jest/globals'
import { chapters } from '../../verify/proof/run.ts'
import type { ChapterResult } from '../../verify/chapters/chapter.ts'
import type { Claim } from '../../verify/proof/claim.ts'
import { page } from '../../verify/proof/results.ts'

const told = (seen: string, holds = true): ChapterResult<Claim> => ({
  title: 'A chapter',
  claims: [{ claim: 'It is so.', command: 'kubectl get a | b', seen, holds }],
  tables: [{ title: 'Figures', head: ['', 'n'], rows: [['x', '1']] }],
})

describe('The page of the proof', () => {
  test('says of each claim what was run and what was seen', () => {
    expect(page([told('rules for 1:2')])).toContain('| ✓ | It is so. | `kubectl get a \\| b` | rules for 1:2 |')
  })

  test('does not hide a claim that did not hold', () => {
    expect(page([told('nothing', false)])).toContain('| ✗ | It is so. |')
  })

  test('shows the figures', () => {
    expect(page([told('')])).toContain('**Figures**\n\n|  | n |\n| --- | --- |\n| x | 1 |')
  })

  test('no two chapters answer to one name', () => {
    const names = chapters.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
