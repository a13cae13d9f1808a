import type { Finding, NodeReport, Report, Sweep, Verdict } from '../domain/report.ts'
import { remedyText, shownRemedies } from './finding-groups.ts'
import { escape, escapeLines } from './html/markup.ts'
import { evidenceText } from './text/findings.ts'
import { clustersOf, verdictWords } from './wording.ts'

/**
 * One suite for each cluster, with one case for the cluster and one for each node. `out-of-step` and `changing` fail,
 * `unknown` is an error, `not-applicable` is skipped: so a pipeline fails exactly if the exit status is not 0. In the
 * form that the schemas of Jenkins (xunit) and of Ant both take: Ant's wants times without a zone, and what is said
 * of cases that pass at the suite's end.
 */
export const junit = (document: Report | Sweep): string => {
  const body = clustersOf(document).map(suiteOf).map(suiteText).join('')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${body}</testsuites>\n`
}

interface Case {
  name: string
  verdict: Verdict
  reason?: string
  findings: Finding[]
  /** The most severe finding that is not about a single node. */
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

const suiteText = ({ report, cases }: Suite, id: number): string => {
  const { cluster, observedAt } = report
  const name = escape(cluster.name.trim() || 'cluster')
  const known = { package: 'calico-ipvs-sync', id, hostname: 'localhost', timestamp: observedAt.slice(0, 19) }
  const attributes = Object.entries(known).map(([key, value]) => `${key}="${escape(String(value))}"`)
  const passed = cases.filter(({ verdict, findings }) => elements[verdict] === undefined && findings.length > 0)
  return [
    `  <testsuite name="${name}" ${attributes.join(' ')} ${countsText(cases)} time="0">`,
    `    <properties>`,
    ...propertiesOf(report).map(([key, value]) => `      <property name="${key}" value="${escape(value)}"/>`),
    `    </properties>`,
    ...cases.map((it) => caseText(it, name)),
    `    <system-out>${passed.map((it) => findingsText(it.findings)).join('\n')}</system-out>`,
    `    <system-err></system-err>`,
    '  </testsuite>\n',
  ].join('\n')
}

const propertiesOf = ({ cluster, verdict, observedAt }: Report): [string, string][] =>
  Object.entries({ ...cluster, verdict, observedAt }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value]],
  )

const caseText = (it: Case, suite: string): string => {
  const open = `    <testcase name="${escape(it.name)}" classname="${suite}" time="0"`
  const result = resultText(it)
  return result === '' ? `${open}/>` : `${open}>\n${result}    </testcase>`
}

const resultText = (it: Case): string => {
  const element = elements[it.verdict]
  if (element === undefined) return ''
  // A finding of severity info is no reason for a failure.
  const why = it.findings.find(({ severity }) => severity !== 'info') ?? it.shared
  const message = escape(it.reason ?? why?.message ?? verdictWords[it.verdict])
  if (element === 'skipped') return `      <skipped message="${message}"/>\n`
  return `      <${element} type="${it.verdict}" message="${message}">${findingsText(it.findings)}</${element}>\n`
}

const findingsText = (findings: readonly Finding[]): string => {
  const remedies = shownRemedies(findings)
  const texts = findings.map((finding) => {
    const { severity, code, subject, message, evidence } = finding
    const remedy = remedies.get(finding)
    return [
      `${severity} ${code} ${subject}: ${message}`,
      ...evidence.map((it) => `  seen ${evidenceText(it)}`),
      ...(remedy === undefined ? [] : [`  do ${remedyText(remedy)}`]),
    ].join('\n')
  })
  return escapeLines(texts.join('\n'))
}
