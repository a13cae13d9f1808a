import { describe, expect, test } from '@jest/globals'
import type { ChapterResult } from '../../verify/chapters/chapter.ts'
import type { Claim } from '../../verify/packets/claim.ts'
import { heldOnPage, proofPage } from '../../verify/chapters/page.ts'
import { all, grounds, versionsOf } from '../../verify/packets/grounds.ts'
import { figuresOf, inOrder, isTold, page } from '../../verify/packets/results.ts'
import { chapters } from '../../verify/packets/run.ts'

const figures = { before: { wrong: 4, tried: 4 }, during: { wrong: 1, tried: 90 }, after: { wrong: 0, tried: 4 } }
const told: ChapterResult<Claim> = {
  title: 'A chapter',
  claims: [
    { claim: 'It opens.', command: 'kubectl get a', before: '4 × timeout', after: '4 × web', holds: true, figures },
    { claim: 'It is so.', command: 'by hand', before: 'a', after: 'b', holds: false },
  ],
  tables: [],
}

describe('What packets showed', () => {
  test('is told claim by claim, and one that did not hold is not hidden', () => {
    expect(page([told], '')).toContain('| ✓ | It opens. | 4 × timeout | `kubectl get a` | 4 × web |')
    expect(page([told], '')).toContain('| ✗ | It is so. | a | by hand | b |')
  })

  test('has figures for claims that count connections', () => {
    expect(figuresOf([told])).toEqual([
      { chapter: 'A chapter', claim: 'It opens.', command: 'kubectl get a', ...figures },
    ])
  })

  test('a chapter that is told again stands in the place of what it was, and one that is missing is left out', () => {
    const again = { ...told, claims: [] }
    const other = { ...told, title: 'Another' }
    expect(inOrder(['Another', 'Missing', 'A chapter'], [again, told, other])).toEqual([other, again])
  })

  test('no page is written before every chapter has come to its end', () => {
    const other = { ...told, title: 'Another' }
    const broken = { ...other, claims: [{ ...claimThat(false), claim: 'This chapter comes to its end.' }] }
    expect(isTold(['A chapter', 'Another'], [told, other])).toBe(true)
    expect(isTold(['A chapter', 'Another'], [told, broken])).toBe(false)
    expect(isTold(['A chapter', 'Another'], [told])).toBe(false)
  })

  test('no two chapters answer to one name', () => {
    const names = chapters.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  test('names the versions whose own code gave the recorded answers', () => {
    expect(versionsOf('ports/spec/one-custom-range')).toEqual(['v3.24.6', 'v3.27.5', 'v3.29.7', 'v3.31.7', 'v3.32.1'])
    expect(versionsOf('ports/selector/match-annotation')).toEqual(['v3.32.1'])
  })

  test('what a claim rests on is what held: not a chapter that fell, nor one that was not run', () => {
    const byPackets = (holds: boolean) => [{ ...told, title: 'The range is too small', claims: [claimThat(holds)] }]
    const other = { ...told, title: 'The range is too wide', claims: [claimThat(true)] }
    const ran = (chapters: ChapterResult<Claim>[]) => grounds(chapters, '')[0]?.[1]
    expect(ran([...byPackets(true), other])).toBe('Felix v3.28.4, packets')
    expect(ran([...byPackets(false), other])).toBe('run, and did not hold')
    expect(ran(byPackets(true))).toBe('not run')
  })

  test('it names chapters that there are, here and among those on rules', () => {
    const titles = chapters.map(({ title }) => title)
    const named = all.flatMap(({ packets = [] }) => packets)
    expect(named.filter((it) => !titles.includes(it))).toEqual([])
    // And no chapter's claims are without a row.
    expect(titles.filter((it) => !named.includes(it))).toEqual([])
    expect(all.flatMap(({ rules = [] }) => rules).filter((it) => !heldOnPage(proofPage(), it))).toEqual([])
  })
})

const claimThat = (holds: boolean): Claim => ({ claim: 'It is so.', command: '', before: '', after: '', holds })
