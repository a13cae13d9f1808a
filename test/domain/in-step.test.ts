import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { assess } from '../../shared/domain/assess/assess.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { leavesUnknown } from '../../shared/domain/finding-codes.ts'
import { rangesAtMost } from '../../shared/domain/ports.ts'
import { findingCodes, type Finding } from '../../shared/domain/report.ts'
import { cluster, patterns } from './ingredients.ts'

const page = readFileSync(new URL('../../docs/in-step.md', import.meta.url), 'utf8')

interface Row {
  given: string
  verdict: string
  findings: string[]
}

const rows: Row[] = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Given'))
  .map((line) => {
    const [, given = '', verdict = '', findings = ''] = line.split('|').map((cell) => cell.trim())
    return { given, verdict, findings: findings.split(' ').filter(Boolean).sort() }
  })

const marks = { critical: '!', warning: '?', info: '' } as const
const noise = ({ code, severity }: Finding): boolean => code === 'IPVS_DEPRECATED' && severity === 'info'

describe('the decision table in docs/in-step.md', () => {
  test('has its rows', () => expect(rows.length).toBeGreaterThan(100))

  test.each(rows)('$given: $verdict', ({ given, verdict, findings }) => {
    const { report } = assess(cluster(given), defaultPolicy)
    const found = report.findings.filter((it) => !noise(it)).map(({ code, severity }) => `${code}${marks[severity]}`)
    expect({ verdict: report.verdict, findings: found.sort() }).toEqual({ verdict, findings })
  })

  test('mentions every finding code', () => {
    const told = new Set(rows.flatMap(({ findings }) => findings.map((it) => it.replace(/[!?]$/, ''))))
    expect(findingCodes.filter((code) => !told.has(code))).toEqual([])
  })

  const vast = `annotation ${Array.from({ length: rangesAtMost + 1 }, (_, at) => 20_000 + 2 * at).join(',')}`
  const unknown = [...rows.map(({ given }) => given), vast]
    .map((given) => ({ given, report: assess(cluster(given), defaultPolicy).report }))
    .filter(({ report }) => report.verdict === 'unknown')

  test('has no unknown verdict without a finding that says to leave it unknown', () => {
    const silent = unknown.filter(({ report }) => !report.findings.some(({ code }) => leavesUnknown(code)))
    expect(silent.map(({ given }) => given)).toEqual([])
  })

  test('has an unknown verdict for every finding that says so: no other one is there to leave it unknown', () => {
    const reasons = unknown.map(({ report }) => report.findings.filter(({ code }) => leavesUnknown(code)))
    const alone = new Set(reasons.flatMap(([first, ...others]) => (first && others.length === 0 ? [first.code] : [])))
    expect([...alone].toSorted()).toEqual(findingCodes.filter(leavesUnknown).toSorted())
  })

  test('uses every ingredient', () => {
    const used = rows.flatMap(({ given }) => given.split(/, (?=[a-z])/))
    expect(patterns.filter((pattern) => !used.some((it) => pattern.test(it)))).toEqual([])
  })
})
