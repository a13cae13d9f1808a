import { partitionOf } from '../shared/domain/partitions.ts'

export interface Fault {
  path: (string | number)[]
  message: string
}

/** The fields of the configuration that are checked here. */
interface Judged {
  stackName: string
  env?: { account: string; region: string } | undefined
  tags: Record<string, string>
  vpc?: { subnetIds: string[]; securityGroupIds: string[] } | undefined
  alarmTopicArn?: string | undefined
  policy: { pauseOnAlarms?: string[] | undefined }
}

/**
 * Settings that AWS would reject, or accept without effect, if this is known from the configuration alone. The rest
 * is in `infra/limits`.
 */
export const limitFaults = (config: Judged): Fault[] =>
  [nameFaults, tagFaults, vpcFaults, topicFaults, heededFaults].flatMap((of) => of(config))

/** CloudFormation's own rule. */
const nameFaults = ({ stackName }: Judged): Fault[] =>
  /^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stackName)
    ? []
    : [{ path: ['stackName'], message: 'begins with a letter and has letters, digits and hyphens, 128 at most' }]

const tagFaults = ({ tags }: Judged): Fault[] => {
  const all = Object.entries(tags)
  const wrong = all.flatMap(([key, value]): Fault[] => {
    const path = ['tags', key]
    if (/^aws:/i.test(key)) return [{ path, message: 'begins with aws:, which is reserved for AWS' }]
    if (key.length < 1 || key.length > 128) return [{ path, message: 'has a name of more than 128 characters' }]
    if (value.length > 256) return [{ path, message: `has ${value.length} characters, and AWS takes 256` }]
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(key + value))
      return [{ path, message: 'may have letters, digits, spaces and _ . : / = + - @ only' }]
    return []
  })
  const twins = all.flatMap(([key], index): Fault[] => {
    const [other] = all.slice(0, index).find(([it]) => it.toLowerCase() === key.toLowerCase()) ?? []
    return other === undefined
      ? []
      : [{ path: ['tags', key], message: `is ${other} in another case, and IAM takes one of them` }]
  })
  const tooMany: Fault[] =
    all.length > 50
      ? [{ path: ['tags'], message: `are ${all.length}, and a stack takes 50: leave the others out` }]
      : []
  return [...wrong, ...twins, ...tooMany]
}

const vpcFaults = ({ vpc }: Judged): Fault[] => {
  if (!vpc) return []
  const most = { subnetIds: 16, securityGroupIds: 5 }
  return (['subnetIds', 'securityGroupIds'] as const).flatMap((knob) =>
    vpc[knob].length <= most[knob]
      ? []
      : [
          {
            path: ['vpc', knob],
            message: `are ${vpc[knob].length}, and Lambda takes ${most[knob]} for a function: leave the others out`,
          },
        ],
  )
}

/** CloudWatch does not send to FIFO topics. */
const topicFaults = ({ alarmTopicArn }: Judged): Fault[] =>
  alarmTopicArn?.endsWith('.fifo')
    ? [{ path: ['alarmTopicArn'], message: 'is a FIFO topic, to which no alarm is sent: use a standard topic' }]
    : []

/** Alarms are read with the functions' own roles. */
const heededFaults = ({ policy, env }: Judged): Fault[] =>
  (policy.pauseOnAlarms ?? []).flatMap((alarm, index) => {
    const path = ['policy', 'pauseOnAlarms', index]
    const [, , service, region, account, kind] = alarm.startsWith('arn:') ? alarm.split(':') : []
    if (service === undefined)
      return alarm.length <= 255
        ? []
        : [{ path, message: `has ${alarm.length} characters, and an alarm's name has 255` }]
    if (service !== 'cloudwatch' || kind !== 'alarm' || !region)
      return [{ path, message: 'is no ARN of an alarm, arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME' }]
    if (!env) return []
    if (partitionOf(region) !== partitionOf(env.region))
      return [{ path, message: `is of ${region}, and credentials of ${env.region} are not valid there` }]
    if (account === env.account) return []
    return [
      { path, message: `is of account ${account}, and only alarms of the stack's own, ${env.account}, can be read` },
    ]
  })
