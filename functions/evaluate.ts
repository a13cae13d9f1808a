import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { brakeOf } from '../shared/clients/aws/brake.ts'
import { fleetPermits } from '../shared/clients/aws/fleet-budget.ts'
import { heeded } from '../shared/clients/aws/health.ts'
import { lastReading } from '../shared/clients/aws/organization-record.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { received as messagesOf } from '../shared/clients/aws/received.ts'
import { records } from '../shared/clients/aws/records.ts'
import { readDeployment } from '../shared/deployment.ts'
import { policyWith } from '../shared/domain/policy/policy.ts'
import { fleetAccess } from '../shared/fleet-access.ts'
import { worker } from '../shared/handler.ts'
import { knownFleet } from '../shared/known-fleet.ts'
import { evaluation } from '../shared/messages.ts'
import { readSettings } from '../shared/settings.ts'
import { evaluateSettings } from '../shared/worker-settings.ts'
import { evaluate } from '../shared/workflows/fleet/evaluate.ts'

const settings = readSettings(evaluateSettings, process.env)
const deployment = readDeployment(settings.OWN_ACCOUNT, process.env)
const policy = policyWith(deployment.policy)
const sqs = bounded(new SQSClient(limited))
const dynamo = bounded(new DynamoDBClient(limited))
const { fleet, know } = knownFleet(deployment.fleet, lastReading(dynamo, settings.RECORDS_TABLE))
const looking = () => import('../shared/workflows/fleet/looking.ts')
const tools = {
  ...fleetAccess(fleet, 'evaluate', looking),
  looking,
  fleet,
  queues: queues(sqs, {
    evaluations: settings.EVALUATIONS_QUEUE_URL,
    rolloutSteps: settings.ROLLOUT_STEPS_QUEUE_URL,
    tellings: settings.TELLINGS_QUEUE_URL,
  }),
  records: records(dynamo, settings.RECORDS_TABLE, deployment.sweep),
  permits: fleetPermits(dynamo, settings.RECORDS_TABLE, { limit: policy.clustersAtOnce }),
  brake: brakeOf(settings.BRAKE_PARAMETER, () => sqs.config.credentials()),
  ...heeded(policy, () => sqs.config.credentials()),
  policy,
  now: () => new Date(),
}

/** The evaluations queue: evaluates one cluster, records its report and new notices, begins or resumes a rollout. */
export const handler = worker('evaluate', {
  schema: evaluation,
  received: messagesOf(sqs, { queue: settings.WORK_QUEUE_URL, deadLetters: settings.DEAD_LETTERS_QUEUE_URL }),
  work: async (message, { log, ...received }) => {
    await know(message.cluster.account)
    return evaluate({ ...tools, log }, message, received)
  },
})
