import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { lambda } from '../shared/handler.ts'
import { onEventSettings, readSettings } from '../shared/settings.ts'
import { onEvent } from '../shared/workflows/fleet/on-event.ts'

const settings = readSettings(onEventSettings, process.env)
const out = queues(bounded(new SQSClient(limited)), { evaluations: settings.EVALUATIONS_QUEUE_URL })

/** EventBridge: something touched a cluster. */
export const handler = lambda('on-event', (event: unknown, log) =>
  onEvent({ queues: out, fleet: settings.FLEET, log }, event),
)
