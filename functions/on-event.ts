import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { lookRequests } from '../shared/clients/aws/looks.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { readDeployment } from '../shared/deployment.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { onEventSettings } from '../shared/event-settings.ts'
import { onEvent } from '../shared/workflows/fleet/on-event.ts'

const settings = readSettings(onEventSettings, process.env)
const { fleet } = readDeployment(settings.OWN_ACCOUNT, process.env)
const tools = {
  queues: queues(bounded(new SQSClient(limited)), { evaluations: settings.EVALUATIONS_QUEUE_URL }),
  looks: lookRequests(bounded(new DynamoDBClient(limited)), settings.RECORDS_TABLE, {
    gapSeconds: settings.LOOK_GAP_SECONDS,
  }),
  fleet,
  now: () => new Date(),
}

/** EventBridge: requests an evaluation of the clusters that an event is about. */
export const handler = lambda('on-event', (event: unknown, log, _left, requestId) =>
  onEvent({ ...tools, log }, event, requestId),
)
