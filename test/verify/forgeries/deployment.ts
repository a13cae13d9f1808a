import { setTimeout as sleep } from 'node:timers/promises'
import type { Cloud } from '../../../lab/aws/cloud.ts'
import type { Moment } from '../../../lab/aws/moment.ts'

/** What of a run of the deployed stack is about one cluster. */
export interface Traffic {
  /** By message id: whether the last try of this look went well. */
  looks: Map<string, boolean>
  verdicts: number
  notices: string[]
  /** What the functions logged as errors, for who looks for the reason. */
  errors: string[]
}

export interface Ledger {
  of: (cluster: string) => Traffic
  note: (moment: Moment) => void
}

/** Sorts by cluster what happens, as it happens. */
export const ledger = (): Ledger => {
  const all = new Map<string, Traffic>()
  const of = (cluster: string): Traffic => {
    const known = all.get(cluster) ?? { looks: new Map<string, boolean>(), verdicts: 0, notices: [], errors: [] }
    all.set(cluster, known)
    return known
  }
  const note = (moment: Moment): void => {
    if (moment.kind === 'batch' && moment.function === 'Evaluate')
      for (const { MessageId, Body } of moment.messages)
        for (const name of namesIn(Body)) of(name).looks.set(MessageId, !moment.failed.includes(MessageId))
    if (moment.kind === 'log' && moment.function === 'Evaluate' && moment.line.includes('"assessed"'))
      for (const name of namesIn(moment.line).slice(0, 1)) of(name).verdicts += 1
    if (moment.kind === 'log' && moment.line.includes('"level":"ERROR"'))
      for (const name of namesIn(moment.line)) of(name).errors.push(moment.line.slice(0, 600))
    if (moment.kind === 'delivery' && moment.protocol.startsWith('email'))
      for (const name of namesIn(moment.subject ?? '').slice(0, 1))
        of(name).notices.push(timeless(`${moment.subject}\n${moment.message}`))
  }
  return { of, note }
}

/** A notice says as of when it speaks; said again, it is the same notice. */
const timeless = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?/g, 'then')

/** Clusters are called v17-1, a name that nothing else has. */
const namesIn = (text: string): string[] => [...new Set(text.match(/\bv\d+-\d+\b/g))]

export interface Mail {
  /** Whether a message about the cluster is on its way. */
  pending: (cluster: string) => boolean
  dead: (cluster: string) => string[]
  stop: () => Promise<void>
}

const isDead = (label: string): boolean => label.endsWith('DeadLetters')

/** Looks into all queues again and again, once for all clusters. */
export const watchMail = async (cloud: Cloud): Promise<Mail> => {
  const all = cloud.stack.ofType('AWS::SQS::Queue').map(({ label }) => label)
  const [deadLetters, queues] = [all.filter((it) => isDead(it)), all.filter((it) => !isDead(it))]
  const bodies = async (of: string[]) => (await Promise.all(of.map((it) => cloud.messages(it)))).flat()
  let [waiting, dead] = [await bodies(queues), await bodies(deadLetters)]
  const end = new AbortController()
  const loop = (async () => {
    while (!end.signal.aborted) {
      ;[waiting, dead] = [await bodies(queues), await bodies(deadLetters)]
      await sleep(100)
    }
  })().catch(() => undefined)
  const about = (cluster: string) => (body: string) => namesIn(body).includes(cluster)
  return {
    pending: (cluster) => waiting.some(about(cluster)),
    dead: (cluster) => dead.filter(about(cluster)),
    stop: async () => {
      end.abort()
      await loop
    },
  }
}
