import { decoders, mismatch, portText, wholeNumber } from './spec.ts'
import { DecodeError, inField, quote } from './go.ts'
import { atLeast, type CalicoVersion } from '../version.ts'

/**
 * Fields of other parameters that the API server stores although Go cannot decode them, because Calico's CRDs do not
 * validate them: any text as a port, any number as a port of a protocol, an empty text as a duration. One of them
 * makes the whole object unreadable to Felix.
 */
export type SpecChecks = ReadonlyMap<string, (value: unknown, field: string) => void>

const durations = (since: string, ...fields: string[]): [string, string[], typeof checkDuration] => [
  since,
  fields,
  checkDuration,
]

const table: [since: string, fields: string[], check: (value: unknown, field: string) => void][] = [
  ['0.0', ['natPortRange', 'bpfPSNATPorts'], portText],
  ['0.0', ['failsafeInboundHostPorts', 'failsafeOutboundHostPorts'], checkProtocolPorts],
  durations(
    '0.0',
    'routeRefreshInterval',
    'interfaceRefreshInterval',
    'iptablesRefreshInterval',
    'ipsetsRefreshInterval',
  ),
  durations(
    '0.0',
    'iptablesPostWriteCheckInterval',
    'iptablesLockProbeInterval',
    'xdpRefreshInterval',
    'netlinkTimeout',
  ),
  durations('0.0', 'reportingInterval', 'reportingTTL', 'endpointReportingDelay', 'bpfKubeProxyMinSyncPeriod'),
  durations('0.0', 'usageReportingInitialDelay', 'usageReportingInterval'),
  durations('3.23', 'dataplaneWatchdogTimeout', 'wireguardKeepAlive'),
  ['3.25', ['healthTimeoutOverrides'], checkTimeouts],
  durations('3.29', 'nftablesRefreshInterval'),
  durations('3.30', 'flowLogsFlushInterval'),
  durations('3.32', 'liveMigrationRouteConvergenceTime'),
]

export const everyCheckedField: readonly string[] = table.flatMap(([, fields]) => fields)

export function specChecks(calico: CalicoVersion): SpecChecks {
  const known = table.filter(([since]) => atLeast(calico, since))
  return new Map(known.flatMap(([, fields, check]) => fields.map((field) => [field, check] as const)))
}

/** Throws with Go's own message. */
export function checkSpec(spec: Readonly<Record<string, unknown>>, checks: SpecChecks): void {
  for (const [field, value] of Object.entries(spec))
    if (value !== null) inField(`spec.${field}`, value, () => checks.get(field)?.(value, field))
}

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
}
const durationForm = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const longest = 2 ** 63

/** metav1.Duration: time.ParseDuration of a text. */
function checkDuration(value: unknown, field: string): void {
  const text = decoders.enum(value, field) ?? ''
  const terms = text.length > 200 ? [] : [...text.matchAll(/([\d.]+)([a-zµμ]+)/g)]
  const total = terms.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0)
  if (text.length > 200 || !durationForm.test(text) || total >= longest)
    throw new DecodeError(`time: invalid duration ${quote(text)}`)
}

type Item = Record<string, unknown>
const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value)

type Field = readonly [name: string, value: unknown, check: (value: unknown, field: string) => unknown]

function checkItems(
  value: unknown,
  field: string,
  { type, fields }: { type: string; fields: (item: Item) => Field[] },
) {
  if (!Array.isArray(value)) throw mismatch(value, field, `[]v3.${type}`)
  for (const [index, item] of (value as unknown[]).entries()) {
    if (item === null) continue
    const place = `spec.${field}[${index}]`
    if (!isItem(item))
      inField(place, item, () => {
        throw mismatch(item, field, `v3.${type}`)
      })
    else
      for (const [name, it, check] of fields(item)) inField(`${place}.${name}`, it, () => check(it, `${field}.${name}`))
  }
}

const port = { type: 'uint16', min: 0, max: 65535 }

function checkProtocolPorts(value: unknown, field: string): void {
  checkItems(value, field, {
    type: 'ProtoPort',
    fields: (item) => [
      ['protocol', item['protocol'] ?? '', decoders.string],
      ['net', item['net'] ?? '', decoders.string],
      ['port', item['port'] ?? 0, (it, at) => wholeNumber(it, at, port)],
    ],
  })
}

function checkTimeouts(value: unknown, field: string): void {
  checkItems(value, field, {
    type: 'HealthTimeoutOverride',
    fields: ({ name, timeout }) => [
      ['name', name ?? '', decoders.string],
      // Not a pointer, so null reaches its decoder, which expects a text but accepts null as an empty one.
      ...(timeout === undefined ? [] : [['timeout', timeout ?? '', checkDuration] as const]),
    ],
  })
}
