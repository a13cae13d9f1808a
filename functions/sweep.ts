import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { placeQueue } from '../shared/clients/aws/place-queue.ts'
import { readDeployment } from '../shared/deployment.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { sweepSettings } from '../shared/event-settings.ts'
import { sweep } from '../shared/workflows/fleet/sweep.ts'

const settings = readSettings(sweepSettings, process.env)
const { fleet } = readDeployment(settings.OWN_ACCOUNT, process.env)
const queue = placeQueue(bounded(new SQSClient(limited)), settings.PLACES_QUEUE_URL)

/**
 * The schedule: requests a list of every account and region of the fleet, which leads to an evaluation of every
 * cluster.
 */
export const handler = lambda('sweep', (event: unknown, log) =>
  sweep({ queue, fleet, now: () => new Date(), log }, event),
)
