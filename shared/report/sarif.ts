import manifest from '../../package.json' with { type: 'json' }
import type { Finding, FindingCode, Report, Severity, Sweep } from '../domain/report.ts'
import { findingTexts } from './finding-texts.ts'
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
        tool: { driver: { ...driver, rules: codes.map(ruleOf) } },
        invocations: [
          {
            executionSuccessful: unread.length === 0,
            toolExecutionNotifications: unread.map(({ cluster }) => ({
              level: 'error',
              message: { text: withoutLinks(plain(`Could not tell whether ${cluster.name} is in step.`)) },
            })),
          },
        ],
        results: clusters.flatMap((report) => resultsOf(report, codes)),
        columnKind: 'utf16CodeUnits',
      },
    ],
  }
}

const pages = manifest.homepage.replace(/#.*$/, '')

const driver = {
  name: 'calico-ipvs-sync',
  version: manifest.version,
  semanticVersion: manifest.version,
  informationUri: pages,
}

/** Code scanning shows the name and the full description, and links the page. */
const ruleOf = (code: FindingCode) => {
  const helpUri = `${pages}/blob/main/docs/findings.md#${code.toLowerCase()}`
  const words = code.toLowerCase().split('_')
  return {
    id: code,
    name: nameOf(words),
    shortDescription: { text: `${words.join(' ').replace(/^./, (letter) => letter.toUpperCase())}.` },
    fullDescription: { text: findingTexts[code] },
    help: { text: `${findingTexts[code]} For evidence and what to do:\ncalico-ipvs-sync explain ${code}` },
    helpUri,
  }
}

/** A name that is the id but for its case says nothing more, and the standard's rules refuse it. */
const nameOf = (words: readonly string[]): string =>
  (words.length === 1 ? ['cluster', ...words] : words).map((it) => it.charAt(0).toUpperCase() + it.slice(1)).join('')

const levels: Record<Severity, 'error' | 'warning' | 'note'> = { critical: 'error', warning: 'warning', info: 'note' }

const resultsOf = (report: Report, codes: readonly FindingCode[]) => {
  const seen = new Map<string, number>()
  return report.findings.map((finding) => {
    const key = fingerprintOf(report, finding)
    const before = seen.get(key) ?? 0
    seen.set(key, before + 1)
    return resultOf(report, finding, { codes, fingerprint: before === 0 ? key : `${key}#${before + 1}` })
  })
}

/** The same finding on the same object is the same alert in the next run, whatever its message says by then. */
const fingerprintOf = ({ cluster }: Report, { code, subject, evidence: [first] }: Finding): string => {
  const field = [first?.object, first?.field].filter((part) => part !== undefined && part !== subject)
  return plain([...placeOf(cluster), subject, code, ...field].join('/'))
}

const placeOf = ({ account, region, name }: Report['cluster']): string[] =>
  [account, region, name].filter((part) => part !== undefined)

const resultOf = (
  { cluster, observedAt }: Report,
  finding: Finding,
  { codes, fingerprint }: { codes: readonly FindingCode[]; fingerprint: string },
) => {
  const { code, severity, subject, message, evidence, remedy } = finding
  const whole = [...placeOf(cluster), subject]
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: withoutLinks([plain(message), ...(remedy === undefined ? [] : plainLines(remedy))].join('\n')) },
    locations: [
      {
        // Code scanning shows no result without a file; the address of the object serves as one.
        physicalLocation: { artifactLocation: { uri: whole.flatMap(segments).join('/') }, region: { startLine: 1 } },
        logicalLocations: [{ fullyQualifiedName: plain(whole.join('/')), kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'finding/v2': fingerprint },
    properties: { evidence: evidence.map(evidenceText), observedAt },
  }
}

/** A viewer makes a link of `[words](address)`, which a text of others must not become. */
const withoutLinks = (text: string): string => text.replaceAll('](', '] (')

// A relative path: no scheme can be read into its first segment and no segment leads upwards.
const segments = (part: string): string[] =>
  plain(part)
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..')
    .map(encodeURIComponent)
