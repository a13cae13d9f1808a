import { readdirSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { play } from './play.ts'

const here = new URL('./', import.meta.url).pathname
const folders = readdirSync(here, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? it.name : []))

test('there are cases', () => expect(folders.length).toBeGreaterThan(6))

test.each(folders)(
  '%s',
  async (folder) => {
    for (const { words, status, report, expected } of await play(`${here}/${folder}`)) {
      const { findings, remedy, nodes, running, changes, ...plain } = expected ?? {}
      const codes = report.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)
      const seen = { words, status, verdict: report.verdict, codes }
      expect(seen).toEqual({ words, ...plain, codes: expect.arrayContaining(findings ?? []) as unknown as string[] })
      if (findings?.length === 0) expect({ words, codes }).toEqual({ words, codes: [] })
      if (remedy !== undefined) expect(report.findings.map((it) => it.remedy).join('\n')).toContain(remedy)
      if (changes !== undefined) expect(report.plan?.changes).toHaveLength(changes)
      if (running !== undefined) expect(new Set(report.nodes.map((it) => it.runningMode))).toEqual(new Set([running]))
      const byName = report.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      if (nodes !== undefined) expect(byName.map(({ verdict }) => verdict)).toEqual(nodes)
    }
  },
  120_000,
)
