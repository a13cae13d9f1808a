import { setTimeout as delay } from 'node:timers/promises'
import type { Cloud } from '../../../lab/aws/cloud.ts'
import { fieldsOf, parseFields } from '../../../lab/aws/json.ts'
import type { Moment } from '../../../lab/aws/moment.ts'

/** What a storm of events of one cluster costs, and what another cluster notices of it. */
export interface StormFigures {
  events: number
  /** From the first event to the last that was heard. */
  seconds: number
  /** Evaluations that the events requested. */
  evaluations: number
  /** Evaluations after each wait of the rollout, in which the changed nodes must stay well, and after its end. */
  ofRollout: number
  rollouts: number
  /** Subjects of what people were told of the cluster. */
  notices: string[]
  /** Milliseconds that each event of other clusters waited in the queue: before the storm, and in it. */
  otherWaited: { before: number[]; during: number[] }
  /** The same with the evaluation that the event requested. */
  otherTook: { before: number[]; during: number[] }
}

interface Names {
  stormy: string
  /** Other clusters, each with one event before the storm, and with some in it. */
  before: readonly string[]
  during: readonly string[]
}

/** `moments`: everything that the cloud has told since it was started. */
export const storm = async (
  cloud: Cloud,
  moments: readonly Moment[],
  { events, stormy, ...others }: Names & { events: number },
): Promise<StormFigures> => {
  for (const name of others.before) {
    touch(cloud, name)
    await cloud.idle()
  }
  const before = others.before.flatMap((name) => waits(moments, name))
  const first = moments.length
  const began = Date.now()
  // A few of other clusters in the midst of it, too far apart to be taken for one.
  const apart = Math.ceil(events / Math.max(5, others.during.length))
  for (let sent = 0; sent < events; sent += 1) {
    touch(cloud, stormy)
    if (sent % apart === 0) touch(cloud, others.during[(sent / apart) % others.during.length] ?? '')
    if (sent % 100 === 99) await delay(1)
  }
  await heard(moments, first, events)
  const seconds = (Date.now() - began) / 1000
  await cloud.idle({ timeoutMilliseconds: 400_000 })
  const since = moments.slice(first)
  const during = others.during.flatMap((name) => waits(since, name))
  return {
    events,
    seconds,
    evaluations: looks(since, stormy).length,
    ofRollout: evaluationsOf(since, stormy).length - looks(since, stormy).length,
    rollouts: lines(since, 'rollout-step', 'rollout begins').filter((it) => isOf(it, stormy)).length,
    notices: since.flatMap((it) => (it.kind === 'delivery' && it.subject?.includes(stormy) ? [it.subject] : [])),
    otherWaited: { before: before.map(({ waited }) => waited), during: during.map(({ waited }) => waited) },
    otherTook: { before: before.map(({ took }) => took), during: during.map(({ took }) => took) },
  }
}

export const touch = ({ putEvent }: Cloud, name: string) => {
  const detail = {
    eventSource: 'eks.amazonaws.com',
    eventName: 'UpdateAddon',
    readOnly: false,
    requestParameters: { name },
  }
  putEvent({ source: 'aws.eks', 'detail-type': 'AWS API Call via CloudTrail', detail })
}

const heard = async (moments: readonly Moment[], from: number, events: number): Promise<void> => {
  const deadline = Date.now() + 600_000
  const ends = () => moments.slice(from).filter((it) => it.kind === 'invocation' && it.name === 'OnEvent').length
  while (ends() < events) {
    if (Date.now() > deadline) throw new Error(`${ends()} of ${events} events were heard in ten minutes`)
    await delay(50)
  }
}

/** Messages about a cluster as `evaluate` received them. */
const evaluationsOf = (moments: readonly Moment[], name: string) =>
  moments.flatMap((it) => {
    if (it.kind !== 'batch' || it.queue !== 'Evaluations') return []
    return it.messages.flatMap(({ Body, Attributes }) => {
      const body = parseFields(Body) ?? {}
      return fieldsOf(body['cluster'])['name'] === name ? [{ body, Attributes, took: it.invocation.duration }] : []
    })
  })

/** Those of them that events requested. */
const looks = (moments: readonly Moment[], name: string) =>
  evaluationsOf(moments, name).flatMap(({ body: { reason, heard }, Attributes, took }) => {
    if (reason !== 'event' || heard === undefined) return []
    const [sent, received] = [Attributes['SentTimestamp'], Attributes['ApproximateFirstReceiveTimestamp']].map(Number)
    return [{ heardBy: fieldsOf(heard)['by'], waited: (received ?? 0) - (sent ?? 0), took }]
  })

/** One that is due later does not wait until then. */
const waits = (moments: readonly Moment[], name: string): { waited: number; took: number }[] => {
  const asked = lines(moments, 'on-event', 'event').filter((it) => isOf(it, name))
  return looks(moments, name).map(({ heardBy, waited: all, took }) => {
    const delaySeconds = Number(asked.find((it) => fieldsOf(it['heard'])['by'] === heardBy)?.['delaySeconds'] ?? 0)
    const waited = all - delaySeconds * 1000
    return { waited, took: waited + took }
  })
}

const isOf = (line: Record<string, unknown>, name: string) => String(line['cluster']).endsWith(`/${name}`)

const lines = (moments: readonly Moment[], service: string, message: string) =>
  moments.flatMap((it) => {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    return line?.['service'] === service && line['message'] === message ? [line] : []
  })
