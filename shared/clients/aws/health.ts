import * as z from 'zod/mini'
import type { CredentialsProvider } from './eks-token.ts'
import { signedCall } from './signed-call.ts'

/** The configured alarms: while one of them is in state ALARM, no further node is touched. */
export interface Health {
  /** Why no node may be touched: the alarms in state ALARM, or that the state is not known. `undefined`: no alarm. */
  trouble: () => Promise<string | undefined>
}

export interface HealthOptions {
  /** Names of alarms in `region`, or ARNs. */
  alarms: readonly string[]
  region: string
  credentials: CredentialsProvider
  /** Instead of the endpoint of CloudWatch. */
  endpoint?: string | undefined
}

const operation = 'GraniteServiceVersion20100801.DescribeAlarms'
const alarm = z.object({ AlarmName: z.string(), StateValue: z.string(), StateReason: z.optional(z.string()) })
const answer = z.object({ MetricAlarms: z.optional(z.array(alarm)), CompositeAlarms: z.optional(z.array(alarm)) })
type Alarm = z.infer<typeof alarm>

/** CloudWatch accepts a hundred names for each call, and returns as many. */
const namesAtMost = 100

/** From a function's environment; nothing if no alarm is configured. */
export const heeded = (
  { pauseOnAlarms: alarms }: { pauseOnAlarms: readonly string[] },
  credentials: CredentialsProvider,
): { health?: Health } => {
  const { AWS_REGION: region = '', AWS_ENDPOINT_URL_CLOUDWATCH: endpoint } = process.env
  return alarms.length > 0 ? { health: health({ alarms, region, credentials, endpoint }) } : {}
}

/** An unknown state counts as ALARM: an alarm that was deleted or may not be read protects nothing. */
export const health = (options: HealthOptions): Health => ({
  trouble: async () => {
    try {
      const found = await Promise.all(
        Array.from(byRegion(options), ([region, names]) => ringing(options, region, names)),
      )
      return found.flat().join('; ') || undefined
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      return `CloudWatch did not return the alarms of pauseOnAlarms (${name}: ${message})`
    }
  },
})

/** `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:NAME`; names may contain colons. */
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

/** Without `AlarmTypes` the answer would not contain composite alarms. */
const describe = async (
  { credentials, endpoint }: HealthOptions,
  region: string,
  AlarmNames: string[],
): Promise<Alarm[]> => {
  const place = { service: 'monitoring', protocol: '1.0' as const, region, credentials, endpoint }
  const request = { AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], MaxRecords: namesAtMost }
  const { MetricAlarms = [], CompositeAlarms = [] } = answer.parse(await signedCall(place, operation, request))
  return [...MetricAlarms, ...CompositeAlarms]
}
