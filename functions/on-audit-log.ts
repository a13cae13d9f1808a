import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { logLines } from '../shared/clients/aws/log-lines.ts'
import { lookRequests } from '../shared/clients/aws/looks.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { readDeployment } from '../shared/deployment.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { onEventSettings } from '../shared/event-settings.ts'
import { onAuditLog } from '../shared/workflows/fleet/on-audit-log.ts'

const settings = readSettings(onEventSettings, process.env)
const { AWS_REGION: region = '' } = process.env
const tools = {
  queues: queues(bounded(new SQSClient(limited)), { evaluations: settings.EVALUATIONS_QUEUE_URL }),
  looks: lookRequests(bounded(new DynamoDBClient(limited)), settings.RECORDS_TABLE, {
    gapSeconds: settings.LOOK_GAP_SECONDS,
  }),
  fleet: readDeployment(settings.OWN_ACCOUNT, process.env).fleet,
  own: settings.OWN_ACCOUNT,
  region,
  now: () => new Date(),
}

/** CloudWatch Logs: lines of a control plane's audit log. */
export const handler = lambda('on-audit-log', (event: unknown, log, _left, requestId) =>
  onAuditLog({ ...tools, log }, logLines(event), requestId),
)
