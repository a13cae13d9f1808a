import type { SNSClient } from '@aws-sdk/client-sns'
import * as z from 'zod/mini'
import { fleetPermits } from '../../../shared/clients/aws/fleet-budget.ts'
import { heldNotices } from '../../../shared/clients/aws/held-notices.ts'
import { notices } from '../../../shared/clients/aws/notices.ts'
import { lastReading } from '../../../shared/clients/aws/organization-record.ts'
import { placeQueue } from '../../../shared/clients/aws/place-queue.ts'
import { placeRecords } from '../../../shared/clients/aws/places.ts'
import { queues as queueClient } from '../../../shared/clients/aws/queues.ts'
import { records } from '../../../shared/clients/aws/records.ts'
import { actedRecords } from '../../../shared/clients/aws/records-writes.ts'
import { tellings } from '../../../shared/clients/aws/tellings.ts'
import type { GatherRules } from '../../../shared/domain/notice/gather.ts'
import type { Route } from '../../../shared/domain/notice/route.ts'
import { knownFleet, toldFleet } from '../../../shared/known-fleet.ts'
import { evaluation, gathering, rolloutStepMessage, sweepMessage, telling } from '../../../shared/messages.ts'
import { retelling } from '../../../shared/retelling.ts'
import * as beginning from '../../../shared/workflows/fleet/beginning.ts'
import { closeSweep } from '../../../shared/workflows/fleet/close-sweep.ts'
import { evaluate } from '../../../shared/workflows/fleet/evaluate.ts'
import { listPlace } from '../../../shared/workflows/fleet/list-place.ts'
import * as looking from '../../../shared/workflows/fleet/looking.ts'
import { handleStep } from '../../../shared/workflows/fleet/rollout-message.ts'
import { gather, tellOrHold } from '../../../shared/workflows/fleet/tell-gather.ts'
import { sendNotice } from '../../../shared/workflows/fleet/tell-send.ts'
import type { Party } from './call.ts'
import type { Deployment } from './deployment.ts'
import type { Fleet } from './fleet.ts'
import { invocationsOf } from './invocations.ts'
import type { Queues } from './queues.ts'
import { urlOf } from './sqs.ts'
import type { Stage } from './stage.ts'
import { type Table, tableName } from './table.ts'
import { topics } from './topic.ts'
import { type Act, logOf, type Start, worked } from './worker.ts'

export interface HubParts {
  fleet: Fleet
  table: Table
  queues: Queues
  topic: { client: (party: Party) => SNSClient }
  deployment: Deployment
  rules: GatherRules
  routes: { route: Route; progress: boolean }[]
  start: Start
}

const urls = { evaluations: urlOf('evaluations'), rolloutSteps: urlOf('steps.fifo'), tellings: urlOf('tellings') }

/** Every function of the hub: the real workflows, on real clients of the table, the queues and the topic. */
export const hubOf = (stage: Stage, parts: HubParts) => {
  const { fleet, table, queues, topic, deployment, rules, routes, start } = parts
  const { configured } = fleet
  const queue = (party: Party) => queueClient(queues.client(party), urls)
  const kept = (party: Party) => records(table.client(party), tableName)
  const milliseconds = (party: Party) => () => party.now().getTime()
  const common = (party: Party) => ({
    fleet: configured,
    queues: queue(party),
    policy: deployment.policy(),
    now: party.now,
    log: logOf(stage, party),
    brake: fleet.brake(party),
    ...(deployment.policy().pauseOnAlarms.length > 0 && { health: fleet.health(party) }),
  })
  /** The fleet with the accounts that the last sweep found, as functions know it that hear of an account. */
  const known = (party: Party) =>
    knownFleet(configured, lastReading(table.client(party), tableName), milliseconds(party))
  const work = <S extends z.ZodMiniType>(name: string, schema: S, act: Act<z.output<S>>): void =>
    queues.attach(name, worked(stage, { start, sqs: queues.client, name }, { schema, act }))
  work('evaluations', evaluation, async (message, { party, messageId, receives }) => {
    const { fleet: bounds, know } = known(party)
    await know(message.cluster.account)
    await evaluate(
      {
        ...common(party),
        fleet: bounds,
        ...fleet.access(party),
        looking: async () => looking,
        records: kept(party),
        permits: fleetPermits(table.client(party), tableName, {
          limit: deployment.policy().clustersAtOnce,
          now: milliseconds(party),
        }),
      },
      message,
      { messageId, receives },
    )
  })
  work('steps.fifo', rolloutStepMessage, (message, { party, messageId, receives }) => {
    const told = toldFleet(configured)
    told.at(message.cluster.account)
    return handleStep(
      {
        ...common(party),
        fleet: told.fleet,
        access: fleet.access(party),
        beginning: async () => beginning,
        records: actedRecords(table.client(party), tableName),
        needsPermit: true,
        holder: functionsHolder,
        leaseSeconds: 900,
        tell: () => undefined,
      },
      message,
      { messageId, receives },
    )
  })
  work('tellings', z.union([telling, gathering, retelling]), (message, { party }) => {
    const tools = {
      records: kept(party),
      held: heldNotices(table.client(party), tableName),
      tellings: tellings(queues.client(party), urls.tellings),
      notices: notices(topic.client(party), { topicArn: topics.all }),
      others: routes.map((it) => ({
        ...it,
        topicArn: topics.team,
        notices: notices(topic.client(party), { topicArn: topics.team }),
      })),
      tags: new Set(['team=shop']),
      rules,
      now: party.now,
      log: logOf(stage, party),
    }
    if ('retell' in message) return sendNotice(tools, { tell: message.retell })
    return 'tell' in message ? tellOrHold(tools, message) : gather(tools, message)
  })
  work('places', sweepMessage, async (message, { party, receives }) => {
    const { fleet: bounds, know } = known(party)
    await know('place' in message ? message.place.account : undefined)
    const tools = {
      ...common(party),
      fleet: bounds,
      list: fleet.list(party),
      places: placeRecords(table.client(party), tableName, milliseconds(party)),
      records: kept(party),
      queue: placeQueue(queues.client(party), urlOf('places')),
    }
    return 'place' in message ? listPlace(tools, message, { receives }) : closeSweep(tools, message)
  })
  return invocationsOf(stage, parts, { common, known })
}

/** The name in the Lease: one for all functions. */
export const functionsHolder = 'calico-ipvs-sync (AWS Lambda)'
