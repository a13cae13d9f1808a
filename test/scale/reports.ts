import type { Report } from '../../shared/domain/report.ts'
import { csv } from '../../shared/report/csv.ts'
import { html } from '../../shared/report/html/report.ts'
import { script } from '../../shared/report/html/script.ts'
import { json } from '../../shared/report/json.ts'
import { junit } from '../../shared/report/junit.ts'
import { sarif } from '../../shared/report/sarif.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { text } from '../../shared/report/text/report.ts'

/** More than people or pipelines can take; 500 nodes need a tenth of it. */
const longest = 4 * 2 ** 20

/** What is wrong with the report in any of its forms, one line each; empty where all of them hold. */
export function faultsIn(report: Report): string[] {
  const forms = { json, text, csv, junit, sarif, html }
  const written = Object.entries(forms).map(([form, render]) => [form, render(report)] as const)
  const tooLong = written.filter(([, it]) => it.length > longest).map(([form, it]) => `${form}: ${it.length} long`)
  const of = Object.fromEntries(written)
  const shape = reportSchema.safeParse(JSON.parse(of['json'] ?? ''))
  return [
    ...tooLong,
    ...(shape.success ? [] : [`json: ${shape.error.message}`]),
    ...controlsIn(of['text'] ?? ''),
    ...controlsIn(of['html'] ?? '').map((it) => `html ${it}`),
    ...cellFaults(of['csv'] ?? ''),
    ...markupFaults('junit', (of['junit'] ?? '').replace(/^<\?xml[^>]*\?>/, '')),
    ...markupFaults('html', bodyOf(of['html'] ?? '')),
    ...activeIn(of['html'] ?? ''),
  ]
}

/** A terminal obeys them. */
const controlsIn = (it: string): string[] =>
  [...new Set(it.match(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu))].map((found) => `control ${found.codePointAt(0)}`)

const cellFaults = (it: string): string[] => {
  const rows = it.split('\r\n').slice(0, -1)
  const cells = rows.map((row) => row.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^",]*)(?=,|$)/g) ?? [])
  const widths = new Set(cells.map(({ length }) => length))
  const formulas = cells.flat().filter((cell) => /^"?\s*[=+\-@|%]/.test(cell))
  return [...(widths.size === 1 ? [] : [`csv: rows of ${[...widths].join()} cells`]), ...formulas.slice(0, 3)]
}

const bodyOf = (page: string): string => page.slice(page.indexOf('<body'), page.lastIndexOf('</body>') + 7)

const empty = new Set(['br', 'hr', 'img', 'input', 'meta'])

/** Elements properly nested, attributes quoted, everything else escaped. */
function markupFaults(form: string, it: string): string[] {
  const token =
    /<(\/?)([a-z][a-z0-9-]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<]*")?)*)\s*(\/?)>|((?:[^<&]|&(?:amp|lt|gt|quot|#39);)+)/gy
  const open: string[] = []
  while (token.lastIndex < it.length) {
    const at = token.lastIndex
    const [whole, closing, name = '', , closed, plain] = token.exec(it) ?? []
    if (whole === undefined) return [`${form}: ${it.slice(at, at + 80)}`]
    if (plain !== undefined || closed === '/' || empty.has(name)) continue
    if (closing === '') open.push(name)
    else if (open.pop() !== name) return [`${form}: </${name}>`]
  }
  return open.map((name) => `${form}: <${name}> is not closed`)
}

const activeIn = (page: string): string[] =>
  page
    .replace(`<script>${script}</script>`, '')
    .match(/<(?:script|iframe|object|embed|img|svg onload)|<[^<>]*\son\w+=/gi)
    ?.map((it) => `html: ${it}`) ?? []
