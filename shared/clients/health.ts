import { SignatureV4 } from '@smithy/signature-v4'
import * as z from 'zod/mini'
import { type CredentialsProvider, stsHost } from './eks-token.ts'
import { Sha256 } from './sha256.ts'

/** Alarms that people gave us to heed: while one of them rings, no further node is touched. */
export interface Health {
  /** Why to hold still: which alarms ring, or that it cannot be told. `undefined`: all is well. */
  trouble: () => Promise<string | undefined>
}

export interface HealthOptions {
  /** Names of alarms in `region`, or ARNs. */
  alarms: readonly string[]
  region: string
  credentials: CredentialsProvider
  /** Instead of CloudWatch's own. */
  endpoint?: string | undefined
}

/** One call of an API in JSON; a client for it would be as large as all that is ours. */
const operation = 'GraniteServiceVersion20100801.DescribeAlarms'
const alarm = z.object({ AlarmName: z.string(), StateValue: z.string(), StateReason: z.optional(z.string()) })
const answer = z.object({ MetricAlarms: z.optional(z.array(alarm)), CompositeAlarms: z.optional(z.array(alarm)) })
type Alarm = z.infer<typeof alarm>

/** CloudWatch takes a hundred names a call, and answers as many. */
const namesAtMost = 100
const deadlineMs = 5_000

/** As a function's environment has it; nothing where no alarm is named. */
export const heeded = (
  { pauseOnAlarms: alarms }: { pauseOnAlarms: readonly string[] },
  credentials: CredentialsProvider,
): { health?: Health } => {
  const { AWS_REGION: region = '', AWS_ENDPOINT_URL_CLOUDWATCH: endpoint } = process.env
  return alarms.length > 0 ? { health: health({ alarms, region, credentials, endpoint }) } : {}
}

/** What cannot be told counts as trouble: an alarm that is gone, or may not be read, protects nobody. */
export const health = (options: HealthOptions): Health => ({
  trouble: async () => {
    try {
      const found = await Promise.all(
        Array.from(byRegion(options), ([region, names]) => ringing(options, region, names)),
      )
      return found.flat().join('; ') || undefined
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      return `CloudWatch could not be asked for the alarms of pauseOnAlarms (${name}: ${message})`
    }
  },
})

/** `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:NAME`; names may hold colons. */
const byRegion = ({ alarms, region }: HealthOptions): Map<string, string[]> => {
  const places = new Map<string, string[]>()
  for (const given of alarms) {
    const [, inRegion = region, name = given] = /^arn:[^:]+:cloudwatch:([^:]+):\d+:alarm:(.+)$/.exec(given) ?? []
    places.set(inRegion, [...(places.get(inRegion) ?? []), name])
  }
  return places
}

const ringing = async (options: HealthOptions, region: string, names: string[]): Promise<string[]> => {
  const found: Alarm[] = []
  for (let from = 0; from < names.length; from += namesAtMost)
    found.push(...(await describe(options, region, names.slice(from, from + namesAtMost))))
  return names.flatMap((name) => {
    const it = found.find(({ AlarmName }) => AlarmName === name)
    if (!it) return `there is no alarm ${name} in ${region}`
    return it.StateValue === 'ALARM' ? `the alarm ${name} rings (${it.StateReason ?? 'no reason given'})` : []
  })
}

/** Without `AlarmTypes` it would leave composite alarms out, as if they were not there. */
const describe = async (options: HealthOptions, region: string, AlarmNames: string[]): Promise<Alarm[]> => {
  const body = { AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], MaxRecords: namesAtMost }
  const url = new URL(options.endpoint ?? `https://${stsHost(region).replace(/^sts/, 'monitoring')}`)
  const signer = new SignatureV4({ credentials: options.credentials, region, service: 'monitoring', sha256: Sha256 })
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': operation },
    body: JSON.stringify(body),
  })
  const { host: _fetchSetsIt, ...headers } = signed.headers
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(deadlineMs),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`HTTP ${response.status}, ${/"__type":"(?:[^"]*#)?(\w+)"/.exec(text)?.[1] ?? ''}`)
  const { MetricAlarms = [], CompositeAlarms = [] } = answer.parse(JSON.parse(text))
  return [...MetricAlarms, ...CompositeAlarms]
}
