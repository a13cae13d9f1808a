import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { eksAccess, withRoleAnew } from '../shared/clients/aws/eks-access.ts'
import { listClusters } from '../shared/clients/aws/list-clusters.ts'
import { lastReading } from '../shared/clients/aws/organization-record.ts'
import { placeQueue } from '../shared/clients/aws/place-queue.ts'
import { placeRecords } from '../shared/clients/aws/places.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { received } from '../shared/clients/aws/received.ts'
import { records } from '../shared/clients/aws/records.ts'
import { readDeployment } from '../shared/deployment.ts'
import { entrance, sessionName } from '../shared/domain/fleet.ts'
import type { Place } from '../shared/domain/places.ts'
import { worker } from '../shared/handler.ts'
import { sweepMessage } from '../shared/messages.ts'
import { knownFleet } from '../shared/known-fleet.ts'
import { readSettings } from '../shared/settings.ts'
import { listClustersSettings } from '../shared/event-settings.ts'
import { closeSweep } from '../shared/workflows/fleet/close-sweep.ts'
import { listPlace } from '../shared/workflows/fleet/list-place.ts'

const settings = readSettings(listClustersSettings, process.env)
const sqs = bounded(new SQSClient(limited))
const dynamo = bounded(new DynamoDBClient(limited))
const { fleet, know } = knownFleet(
  readDeployment(settings.OWN_ACCOUNT, process.env).fleet,
  lastReading(dynamo, settings.RECORDS_TABLE),
)
const access = eksAccess()
const session = sessionName(fleet, 'list-clusters')
const tools = {
  fleet,
  list: async ({ account, region }: Place) => {
    const way = entrance(fleet, account, 'viewer')
    return way && withRoleAnew(() => listClusters(access({ region, ...way, session }).sdk))
  },
  places: placeRecords(dynamo, settings.RECORDS_TABLE),
  records: records(dynamo, settings.RECORDS_TABLE),
  queues: queues(sqs, { evaluations: settings.EVALUATIONS_QUEUE_URL, tellings: settings.TELLINGS_QUEUE_URL }),
  queue: placeQueue(sqs, settings.WORK_QUEUE_URL),
  now: () => new Date(),
}

/** The queue of places: lists one account and region, or closes the sweep. */
export const handler = worker('list-clusters', {
  schema: sweepMessage,
  received: received(sqs, { queue: settings.WORK_QUEUE_URL, deadLetters: settings.DEAD_LETTERS_QUEUE_URL }),
  work: async (message, { log, receives }) => {
    const isPlace = 'place' in message
    await know(isPlace ? message.place.account : undefined)
    return isPlace ? listPlace({ ...tools, log }, message, { receives }) : closeSweep({ ...tools, log }, message)
  },
})
