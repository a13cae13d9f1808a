import type { Finding, NodeReport, Report, Sweep, Verdict } from '../domain/report.ts'
import { escape, escapeLines } from './html/markup.ts'
import { evidenceText } from './text/findings.ts'
import { clustersOf, verdictWords } from './wording.ts'

/**
 * One suite per cluster, one case for the cluster and one per node. `out-of-step` and `changing` fail, `unknown` is an
 * error, `not-applicable` is skipped: so a pipeline is red exactly where the exit status is not 0.
 */
export const junit = (document: Report | Sweep): string => {
  const suites = clustersOf(document).map(suiteOf)
  const counts = countsText(suites.flatMap(({ cases }) => cases))
  const body = suites.map(suiteText).join('')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="calico-ipvs-sync" ${counts} time="0">\n${body}</testsuites>\n`
}

interface Case {
  name: string
  verdict: Verdict
  reason?: string
  findings: Finding[]
  /** The worst finding that is not about one node alone. */
  shared?: Finding
}
interface Suite {
  report: Report
  cases: Case[]
}

const suiteOf = (report: Report): Suite => {
  const ofNodes = Map.groupBy(report.findings, ({ subject }) => subject)
  const names = new Set(report.nodes.map(({ name }) => `node/${name}`))
  const others = report.findings.filter(({ subject }) => !names.has(subject))
  const worst = others.find(({ severity }) => severity !== 'info')
  const nodeCase = ({ name, verdict, reason }: NodeReport): Case => ({
    name: `node/${name}`,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    findings: ofNodes.get(`node/${name}`) ?? [],
    ...(worst && { shared: worst }),
  })
  return {
    report,
    cases: [{ name: 'cluster', verdict: report.verdict, findings: others }, ...report.nodes.map(nodeCase)],
  }
}

const elements: Record<Verdict, 'failure' | 'error' | 'skipped' | undefined> = {
  'in-step': undefined,
  'out-of-step': 'failure',
  changing: 'failure',
  unknown: 'error',
  'not-applicable': 'skipped',
}

const countsText = (cases: readonly Case[]): string => {
  const of = (element: string) => cases.filter(({ verdict }) => elements[verdict] === element).length
  return `tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}"`
}

const suiteText = ({ report, cases }: Suite): string => {
  const name = escape(report.cluster.name)
  const head = `<testsuite name="${name}" ${countsText(cases)} timestamp="${escape(report.observedAt)}" time="0">`
  return `  ${head}\n${cases.map((it) => caseText(it, name)).join('')}  </testsuite>\n`
}

const caseText = (it: Case, suite: string): string => {
  const open = `    <testcase name="${escape(it.name)}" classname="${suite}" time="0"`
  const inside = [resultText(it), it.findings.length > 0 && elements[it.verdict] === undefined ? outputText(it) : '']
  const body = inside.filter(Boolean).join('')
  return body === '' ? `${open}/>\n` : `${open}>\n${body}    </testcase>\n`
}

const resultText = (it: Case): string => {
  const element = elements[it.verdict]
  if (element === undefined) return ''
  // What is only good to know explains no failure.
  const why = it.findings.find(({ severity }) => severity !== 'info') ?? it.shared
  const message = escape(it.reason ?? why?.message ?? verdictWords[it.verdict])
  if (element === 'skipped') return `      <skipped message="${message}"/>\n`
  return `      <${element} type="${it.verdict}" message="${message}">${findingsText(it.findings)}</${element}>\n`
}

const outputText = (it: Case): string => `      <system-out>${findingsText(it.findings)}</system-out>\n`

const findingsText = (findings: readonly Finding[]): string =>
  escapeLines(
    findings
      .map(({ severity, code, subject, message, evidence, remedy }) =>
        [
          `${severity} ${code} ${subject}: ${message}`,
          ...evidence.map((it) => `  seen ${evidenceText(it)}`),
          ...(remedy === undefined ? [] : [`  do ${remedy}`]),
        ].join('\n'),
      )
      .join('\n'),
  )
