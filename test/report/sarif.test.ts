import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { findingCodes } from '../../shared/domain/report.ts'
import { findingTexts } from '../../shared/report/finding-texts.ts'
import { sarif } from '../../shared/report/sarif.ts'
import { hostile, outOfStep, report, sweep } from './samples.ts'

// What of SARIF 2.1.0 (OASIS) is used, as strict as the standard's own schema about it.
const message = z.strictObject({ text: z.string() })
const log = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: z.string(),
            version: z.string(),
            semanticVersion: z.string(),
            informationUri: z.url(),
            rules: z.array(
              z.strictObject({
                id: z.string(),
                name: z.string().regex(/^([A-Z][a-z0-9]*)+$/),
                shortDescription: message,
                fullDescription: message,
                help: message,
                helpUri: z.url(),
              }),
            ),
          }),
        }),
        invocations: z.array(
          z.strictObject({
            executionSuccessful: z.boolean(),
            toolExecutionNotifications: z.array(z.strictObject({ level: z.enum(['error']), message })),
          }),
        ),
        results: z.array(
          z.strictObject({
            ruleId: z.string(),
            ruleIndex: z.int().min(0),
            level: z.enum(['error', 'warning', 'note']),
            message,
            locations: z.array(
              z.strictObject({
                physicalLocation: z.strictObject({
                  artifactLocation: z.strictObject({ uri: z.string() }),
                  region: z.strictObject({ startLine: z.literal(1) }),
                }),
                logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string(), kind: z.string() })),
              }),
            ),
            partialFingerprints: z.record(z.string(), z.string()),
            properties: z.looseObject({}),
          }),
        ),
        columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
      }),
    )
    .length(1),
})
const parsed = (text: string) => log.parse(JSON.parse(text)).runs[0]

test('every finding is a result of its rule, located by its cluster and subject', () => {
  const run = parsed(sarif(outOfStep))
  expect(run?.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
    ['RANGE_DIFFERS', 'error'],
    ['IPVS_DEPRECATED', 'note'],
  ])
  expect(run?.results.map(({ ruleIndex }) => run.tool.driver.rules[ruleIndex]?.id)).toEqual([
    'RANGE_DIFFERS',
    'IPVS_DEPRECATED',
  ])
  expect(run?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(
    '123456789012/eu-central-1/prod-1/FelixConfiguration/default',
  )
})

test('the same finding keeps its fingerprint when its message changes', () => {
  const [finding] = outOfStep.findings
  const later = report({ ...outOfStep, findings: finding ? [{ ...finding, message: 'other words' }] : [] })
  const fingerprint = (text: string) => parsed(text)?.results[0]?.partialFingerprints
  expect(fingerprint(sarif(later))).toEqual(fingerprint(sarif(outOfStep)))
})

test('a cluster that could not be judged makes the run one that failed', () => {
  expect(parsed(sarif(sweep))?.invocations[0]?.executionSuccessful).toBe(false)
  expect(parsed(sarif(outOfStep))?.invocations[0]?.executionSuccessful).toBe(true)
})

test('a hostile name stays inside its relative address', () => {
  for (const { locations } of parsed(sarif(hostile()))?.results ?? []) {
    const { uri = '' } = locations[0]?.physicalLocation.artifactLocation ?? {}
    const url = new URL(uri, 'https://reports.example/base/')
    expect(url.href.startsWith('https://reports.example/base/')).toBe(true)
    expect(uri).toMatch(/^[\w%.!~*'()/-]+$/)
  }
})

test('what others wrote is no link', () => {
  const link = '[run this](https://evil.example)'
  const findings = outOfStep.findings.map((it) => ({ ...it, message: link, remedy: link }))
  const run = parsed(sarif(report({ ...outOfStep, verdict: 'unknown', cluster: { name: link }, findings })))
  const texts = [...(run?.results ?? []), ...(run?.invocations[0]?.toolExecutionNotifications ?? [])]
  expect(texts.map(({ message: { text } }) => text).filter((text) => /\[[^\]]*\]\(/.test(text))).toEqual([])
})

test('two findings of one code about one object are two alerts', () => {
  const [finding] = outOfStep.findings
  if (!finding) throw new Error('the sample has no finding')
  const field = {
    ...finding,
    evidence: [{ object: 'FelixConfiguration/default', field: 'spec.kubeNodePortRanges[1]' }],
  }
  const run = parsed(sarif(report({ findings: [finding, field, finding] })))
  const fingerprints = run?.results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints))
  expect(new Set(fingerprints).size).toBe(3)
})

test('each rule says what the page of findings says first', () => {
  const page = readFileSync(new URL('../../docs/findings.md', import.meta.url), 'utf8')
  for (const code of findingCodes) {
    const section = page.split(`\n## ${code}\n`)[1]?.replaceAll(/[*`]/g, '').replaceAll(/\s+/g, ' ') ?? ''
    expect(section).toContain(findingTexts[code])
  }
})
