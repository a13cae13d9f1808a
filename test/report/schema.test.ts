import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { json } from '../../shared/report/json.ts'
import { jsonSchema, reportSchema, sweepSchema } from '../../shared/report/schema.ts'
import { hostile, outOfStep, report, sweep, unreachable } from './samples.ts'

const published = new URL('../../docs/report.schema.json', import.meta.url)

test('the published JSON Schema is the one of the code (node cli/schema.ts > docs/report.schema.json)', () => {
  expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(JSON.stringify(jsonSchema())))
})

test('reports and sweeps are what the schema says', () => {
  for (const document of [report(), outOfStep, unreachable]) expect(reportSchema.parse(document)).toEqual(document)
  expect(sweepSchema.parse(sweep)).toEqual(sweep)
})

test('what is not in the contract is refused: other fields, null, unknown codes, loose times, ranges in another form', () => {
  const wrong: object[] = [
    { ...report(), extra: 1 },
    { ...report(), plan: null },
    { ...report(), schemaVersion: 2 },
    { ...report(), observedAt: 'yesterday' },
    { ...report(), desiredRange: ['20000-32767'] },
    { ...report(), verdict: 'fine' },
    { ...outOfStep, findings: [{ ...outOfStep.findings[0], code: 'MADE_UP' }] },
  ]
  for (const document of wrong) expect(reportSchema.safeParse(document).success).toBe(false)
})

test('JSON reads back the same and holds no raw control or direction character', () => {
  const text = json(hostile())
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(hostile())))
  expect(text).not.toMatch(/[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u)
})
