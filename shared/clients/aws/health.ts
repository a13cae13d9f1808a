import * as z from 'zod/mini'
import type { CredentialsProvider } from './eks-token.ts'
import { signedCall } from './signed-call.ts'

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

const operation = 'GraniteServiceVersion20100801.DescribeAlarms'
const alarm = z.object({ AlarmName: z.string(), StateValue: z.string(), StateReason: z.optional(z.string()) })
const answer = z.object({ MetricAlarms: z.optional(z.array(alarm)), CompositeAlarms: z.optional(z.array(alarm)) })
type Alarm = z.infer<typeof alarm>

/** CloudWatch takes a hundred names a call, and answers as many. */
const namesAtMost = 100

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

/** Without `AlarmTypes` it would leave composite alarms out, as if they did not exist. */
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
