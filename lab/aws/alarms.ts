import { AwsError } from './aws-error.ts'
import { type Answer, serve } from './endpoint.ts'
import { listOf, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'

export interface Alarms {
  /** `AWS_ENDPOINT_URL_CLOUDWATCH` */
  url: string
  /** As if its metric had changed; an alarm that was never set does not exist. */
  set: (name: string, state: AlarmState, kind?: 'MetricAlarm' | 'CompositeAlarm') => void
  /** Calls so far. */
  calls: () => number
  stop: () => Promise<void>
}

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'

/** CloudWatch, as far as DescribeAlarms by name. `keyring`: whose keys are good, asked at each call. */
export async function startAlarms(keyring: () => Pick<Keyring, 'caller'> | undefined): Promise<Alarms> {
  const alarms = new Map<string, { kind: string; StateValue: AlarmState }>()
  let calls = 0
  const describe = (body: string): Record<string, object[]> => {
    const { AlarmNames, AlarmTypes } = parseFields(body) ?? {}
    // As CloudWatch: composite alarms are only in the answer if they were asked for.
    const kinds = AlarmTypes === undefined ? ['MetricAlarm'] : listOf(AlarmTypes)
    const found = listOf(AlarmNames).flatMap((AlarmName) => {
      const it = alarms.get(textOf(AlarmName) ?? '')
      return it && kinds.includes(it.kind) ? [{ ...it, AlarmName, StateReason: 'set in the lab' }] : []
    })
    const of = (kind: string) => found.filter((it) => it.kind === kind).map(({ kind: _kind, ...alarm }) => alarm)
    return { MetricAlarms: of('MetricAlarm'), CompositeAlarms: of('CompositeAlarm') }
  }
  const { url, close } = await serve(async ({ headers, body }): Promise<Answer> => {
    calls += 1
    try {
      const operation = textOf(headers['x-amz-target'])
      keyring()?.caller(headers)
      if (operation !== 'GraniteServiceVersion20100801.DescribeAlarms')
        throw new AwsError('UnknownOperationException', 400, `The lab has no ${operation}`)
      return json(200, describe(body))
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return json(error.status, { __type: `com.amazonaws.cloudwatch#${error.code}`, message: error.message })
    }
  })
  return {
    url,
    set: (name, StateValue, kind = 'MetricAlarm') => void alarms.set(name, { kind, StateValue }),
    calls: () => calls,
    stop: close,
  }
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify(body),
})
