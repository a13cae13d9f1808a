import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { lookRequests } from '../shared/clients/aws/looks.ts'
import { lastReading } from '../shared/clients/aws/organization-record.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { readDeployment } from '../shared/deployment.ts'
import { lambda } from '../shared/handler.ts'
import { knownFleet } from '../shared/known-fleet.ts'
import { readSettings } from '../shared/settings.ts'
import { onEventSettings } from '../shared/event-settings.ts'
import { onEvent } from '../shared/workflows/fleet/on-event.ts'

const settings = readSettings(onEventSettings, process.env)
const dynamo = bounded(new DynamoDBClient(limited))
const known = knownFleet(
  readDeployment(settings.OWN_ACCOUNT, process.env).fleet,
  lastReading(dynamo, settings.RECORDS_TABLE),
)
const tools = {
  queues: queues(bounded(new SQSClient(limited)), { evaluations: settings.EVALUATIONS_QUEUE_URL }),
  looks: lookRequests(dynamo, settings.RECORDS_TABLE, {
    gapSeconds: settings.LOOK_GAP_SECONDS,
  }),
  ...known,
  now: () => new Date(),
}

/** EventBridge: requests an evaluation of the clusters that an event is about. */
export const handler = lambda('on-event', (event: unknown, log, _left, requestId) =>
  onEvent({ ...tools, log }, event, requestId),
)
