import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { accountsIn } from '../shared/clients/aws/organization.ts'
import { organizationRecord } from '../shared/clients/aws/organization-record.ts'
import { placeQueue } from '../shared/clients/aws/place-queue.ts'
import { readDeployment } from '../shared/deployment.ts'
import type { Selection, Tagging } from '../shared/domain/organization.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { sweepSettings } from '../shared/event-settings.ts'
import { sweep } from '../shared/workflows/fleet/sweep.ts'

const settings = readSettings(sweepSettings, process.env)
const { fleet } = readDeployment(settings.OWN_ACCOUNT, process.env)
const sqs = bounded(new SQSClient(limited))
const { AWS_REGION: region = '', AWS_ENDPOINT_URL_ORGANIZATIONS: endpoint } = process.env
const place = { region, endpoint, credentials: () => sqs.config.credentials() }
const tools = {
  queue: placeQueue(sqs, settings.PLACES_QUEUE_URL),
  fleet,
  organization: {
    accounts: (selection: Selection, known: Tagging | undefined) => accountsIn(place, selection, { known }),
    record: organizationRecord(bounded(new DynamoDBClient(limited)), settings.RECORDS_TABLE),
  },
  now: () => new Date(),
}

/**
 * The schedule: requests a list of every account and region of the fleet, which leads to an evaluation of every
 * cluster.
 */
export const handler = lambda('sweep', (event: unknown, log) => sweep({ ...tools, log }, event))
