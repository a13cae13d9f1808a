import type { ClusterIdentity, Finding, FindingCode, Report } from '../report.ts'

/** A cluster or finding that is not changed and not reported until a date. After that date it has no effect. */
export interface Exception {
  /** `111122223333/eu-west-1/prod-1`; `*` matches any text: `111122223333/*` is an account, `*` the fleet. */
  cluster: string
  /** Absent: the whole cluster. */
  code?: FindingCode | undefined
  /** RFC 3339: a date, to its end in UTC, or a time. */
  until: string
  /** The reason, which is shown in reports. */
  reason: string
}

/** The exceptions that apply to a cluster now. */
export interface Excepted {
  cluster?: Exception
  codes: Map<FindingCode, Exception>
}

const day = 86_400_000

export const endOf = ({ until }: Exception): number => Date.parse(until) + (/T/i.test(until) ? 0 : day)

export const exceptionsFor = (exceptions: readonly Exception[], cluster: ClusterIdentity, now: number): Excepted => {
  const live = exceptions
    .filter((it) => isMeant(it, cluster) && now < endOf(it))
    .toSorted((a, b) => endOf(a) - endOf(b))
  const whole = live.findLast(({ code }) => code === undefined)
  return { codes: new Map(live.flatMap((it) => (it.code ? [[it.code, it]] : []))), ...(whole && { cluster: whole }) }
}

/** Exceptions that ended after `since`: a notice must report again what they covered. */
export const endedSince = (
  exceptions: readonly Exception[],
  cluster: ClusterIdentity,
  { since, now }: { since: number; now: number },
): Exception[] => exceptions.filter((it) => isMeant(it, cluster) && since < endOf(it) && endOf(it) <= now)

const isMeant = ({ cluster: pattern }: Exception, { account, region, name }: ClusterIdentity): boolean => {
  const key = [account, region, name].filter(Boolean).join('/')
  const text = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${text.join('.*')}$`).test(key)
}

const rangeCodes: readonly FindingCode[] = [
  'RANGE_DIFFERS',
  'RANGE_TOO_WIDE',
  'RANGE_SPEC_IGNORED',
  'RANGE_SHADOWED',
  'RANGE_INVALID',
  'RANGE_ASSUMED',
]
const restartCodes: readonly FindingCode[] = ['FELIX_MISSED_MODE']

/** The kinds of change that an exception blocks. */
export const forbidsBy = ({ cluster, codes }: Excepted): { range: boolean; restarts: boolean } => ({
  range: cluster !== undefined || rangeCodes.some((code) => codes.has(code)),
  restarts: cluster !== undefined || restartCodes.some((code) => codes.has(code)),
})

/** Excepted findings stay in the report as `info`, with the reason and the end of the exception. */
export const withExceptions = (report: Report, excepted: Excepted): Report => {
  const covering = ({ code }: Finding) => excepted.codes.get(code) ?? excepted.cluster
  const findings = report.findings.map((finding): Finding => {
    const exception = covering(finding)
    if (!exception || finding.severity === 'info') return finding
    return { ...finding, severity: 'info', message: `${finding.message} ${said(exception)}` }
  })
  return { ...report, findings }
}

/** No finding is left that needs a notice. */
export const isSilenced = (report: Report, excepted: Excepted): boolean => {
  if (excepted.cluster) return true
  const loud = report.findings.filter(({ severity }) => severity !== 'info')
  return loud.length > 0 && loud.every(({ code }) => excepted.codes.has(code))
}

export const said = ({ until, reason }: Exception): string => `Excepted until ${until}: ${reason}`
