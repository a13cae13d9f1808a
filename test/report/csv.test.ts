import { expect, test } from '@jest/globals'
import { csv } from '../../shared/report/csv.ts'
import type { Finding } from '../../shared/domain/report.ts'
import { hostile, hostileTexts, outOfStep, rangeDiffers, report, sweep } from './samples.ts'

test('one row per node, and one for a cluster of which no node could be read', () => {
  const rows = parsed(csv(sweep))
  const [head = [], ...others] = rows
  expect(others).toHaveLength(3 + 1 + 4)
  expect(new Set(rows.map((row) => row.length))).toEqual(new Set([head.length]))
  const lost = Object.fromEntries(head.map((name, at) => [name, others[3]?.[at]]))
  expect(lost).toMatchObject({ cluster: 'edge-7', clusterVerdict: 'unknown', node: '', clusterFindings: 'UNREACHABLE' })
})

test('a row holds the facts of its node and the codes found on it', () => {
  const first = outOfStep.nodes[0]?.name ?? ''
  const finding: Finding = { ...rangeDiffers, code: 'MARK_CAPACITY', subject: `node/${first}` }
  const [head = [], row = []] = parsed(csv(report({ ...outOfStep, findings: [finding] })))
  expect(Object.fromEntries(head.map((name, at) => [name, row[at]]))).toMatchObject({
    node: first,
    verdict: 'out-of-step',
    effectiveRange: '30000:32767',
    felixIpvs: 'true',
    markCapacity: '16382',
    nodeFindings: 'MARK_CAPACITY',
    clusterFindings: '',
  })
})

test('no cell can start a formula in a spreadsheet, and none breaks its row', () => {
  const rows = parsed(csv(hostile()))
  expect(rows).toHaveLength(1 + hostileTexts.length)
  expect(rows.flat().filter((cell) => /^\s*[=+\-@|%]/.test(cell))).toEqual([])
  expect(rows[1]?.[0]).toBe("'=cmd|'/c calc'!A1")
})

/** RFC 4180, strictly: what a spreadsheet makes of it. */
const parsed = (text: string): string[][] =>
  text
    .split('\r\n')
    .slice(0, -1)
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)].map(
        ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
      ),
    )
