import type { LogLines } from '../../../shared/clients/aws/log-lines.ts'
import type { Cluster } from './cluster.ts'
import type { Stage } from './stage.ts'

const hour = 3_600_000

type Ref = Cluster['ref']

/** A call of EKS, as CloudTrail has it. */
export const callEvent = ({ account, region, name }: Ref, eventName: string): object => ({
  account,
  region,
  'detail-type': 'AWS API Call via CloudTrail',
  detail: { eventSource: 'eks.amazonaws.com', eventName, requestParameters: { name } },
})

/** A write of a FelixConfiguration, as CloudWatch Logs hands it on. */
export const auditLines = ({ account, name }: Ref, object: string): LogLines => {
  const objectRef = { resource: 'felixconfigurations', apiGroup: 'crd.projectcalico.org', name: object }
  const line = { stage: 'ResponseComplete', verb: 'patch', objectRef, responseStatus: { code: 200 } }
  const logStream = 'kube-apiserver-audit-1'
  return { owner: account, logGroup: `/aws/eks/${name}/cluster`, logStream, lines: [JSON.stringify(line)] }
}

/** EventBridge: at least once or not at all, in any order. */
export const bridge = <Event>(
  { schedule, random, faults }: Stage,
  event: Event,
  heard: (event: Event, id: string) => void,
): void => {
  const id = `event ${schedule.now()} ${random.between(0, 1e9)}`
  const late = random.between(1, 20) * 1000
  if (faults.happens('an event is lost', 0.1)) return
  schedule.after(faults.happens('an event is late', 0.1) ? late * 30 : late, () => heard(event, id))
  if (faults.happens('an event comes twice', 0.1)) schedule.after(late * 3, () => heard(event, `${id} again`))
}

/** EventBridge Scheduler: every hour, and every four hours after `calmSince`. */
export const sweeps = (
  { schedule, faults }: Stage,
  calmSince: number,
  sweep: (scheduledTime: string) => void,
): void => {
  const next = (): void => {
    const now = schedule.now()
    const time = new Date(now).toISOString()
    if (!faults.happens('a sweep is not started', 0.03)) sweep(time)
    if (faults.happens('a sweep is started twice', 0.05)) schedule.after(2_000, () => sweep(time))
    // By hand it has no time.
    if (faults.happens('a sweep is started by hand', 0.05)) schedule.after(5_000, () => sweep(''))
    schedule.after(now > calmSince ? 4 * hour : hour, next)
  }
  schedule.after(60_000, next)
}
