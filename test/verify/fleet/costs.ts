import type { Moment } from '../../../lab/aws/moment.ts'

/** What some moments of the lab would be on the bill, by count. What the queues' pollers call is AWS's own, and not here. */
export interface Counts {
  /** Messages that `evaluate` worked on. */
  looks: number
  reads: number
  writes: number
  parameters: number
  /** Requests to EKS, for a cluster or for a place's list. */
  eks: number
  /** Requests to SQS that functions make, and the receipt and the end of each message. */
  sqs: number
  logBytes: number
  /** Runs of `sweep` and `list-clusters`. */
  around: number
}

const written = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']

/** Without what runs by a clock of its own: the report of the fleet. */
export const countsIn = (moments: readonly Moment[]): Counts => {
  const counts: Counts = { looks: 0, reads: 0, writes: 0, parameters: 0, eks: 0, sqs: 0, logBytes: 0, around: 0 }
  for (const it of moments) {
    if (it.kind === 'log' && it.function !== 'FleetReport') counts.logBytes += Buffer.byteLength(it.line)
    if (it.kind === 'invocation' && ['Sweep', 'ListClusters'].includes(it.name)) counts.around += 1
    if (it.kind === 'batch') {
      counts.sqs += 1 + it.messages.length
      if (it.queue === 'Evaluations') counts.looks += it.messages.length
    }
    if (it.kind !== 'call' || it.caller.includes('FleetReport')) continue
    if (it.service === 'dynamodb') counts[written.includes(it.operation) ? 'writes' : 'reads'] += 1
    if (it.service === 'ssm') counts.parameters += 1
    if (it.service === 'eks') counts.eks += 1
    if (it.service === 'sqs') counts.sqs += 1
  }
  return counts
}
