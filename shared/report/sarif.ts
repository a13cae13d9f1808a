import type { Finding, FindingCode, Report, Severity, Sweep } from '../domain/report.ts'
import { evidenceText } from './text/findings.ts'
import { clustersOf, plain, plainLines } from './wording.ts'

/** SARIF 2.1.0, for code scanning: findings of all clusters in one run, each located by what it is about. */
export const sarif = (document: Report | Sweep): string => `${JSON.stringify(log(clustersOf(document)), null, 2)}\n`

const log = (clusters: readonly Report[]) => {
  const codes = [...new Set(clusters.flatMap(({ findings }) => findings.map(({ code }) => code)))].toSorted()
  const unread = clusters.filter(({ verdict }) => verdict === 'unknown')
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'calico-ipvs-sync', rules: codes.map(ruleOf) } },
        invocations: [
          {
            executionSuccessful: unread.length === 0,
            toolExecutionNotifications: unread.map(({ cluster }) => ({
              level: 'error',
              message: { text: plain(`Could not tell whether ${cluster.name} is in step.`) },
            })),
          },
        ],
        results: clusters.flatMap((report) => report.findings.map((finding) => resultOf(report, finding, codes))),
        columnKind: 'utf16CodeUnits',
      },
    ],
  }
}

const ruleOf = (code: FindingCode) => ({
  id: code,
  shortDescription: { text: `${code.charAt(0)}${code.slice(1).toLowerCase().replaceAll('_', ' ')}` },
  help: { text: `calico-ipvs-sync explain ${code}` },
})

const levels: Record<Severity, 'error' | 'warning' | 'note'> = { critical: 'error', warning: 'warning', info: 'note' }

const resultOf = ({ cluster, observedAt }: Report, finding: Finding, codes: readonly FindingCode[]) => {
  const { code, severity, subject, message, evidence, remedy } = finding
  const whole = [cluster.account, cluster.region, cluster.name, subject].filter((part) => part !== undefined)
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: [plain(message), ...(remedy === undefined ? [] : plainLines(remedy))].join('\n') },
    locations: [
      {
        // Code scanning shows no result without a file; the address of the object serves as one.
        physicalLocation: { artifactLocation: { uri: whole.flatMap(segments).join('/') } },
        logicalLocations: [{ fullyQualifiedName: plain(whole.join('/')), kind: 'resource' }],
      },
    ],
    // The same finding on the same object is the same alert in the next run, whatever its message says by then.
    partialFingerprints: { 'finding/v1': plain([...whole, code].join('/')) },
    properties: { evidence: evidence.map(evidenceText), observedAt },
  }
}

// A relative path: no scheme can be read into its first segment and no segment leads upwards.
const segments = (part: string): string[] =>
  plain(part)
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..')
    .map(encodeURIComponent)
