import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { brakeOf } from '../shared/clients/aws/brake.ts'
import { heeded } from '../shared/clients/aws/health.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { received as messagesOf } from '../shared/clients/aws/received.ts'
import { actedRecords } from '../shared/clients/aws/records-writes.ts'
import { readDeployment } from '../shared/deployment.ts'
import { policyWith } from '../shared/domain/policy/policy.ts'
import { fleetAccess } from '../shared/fleet-access.ts'
import { worker } from '../shared/handler.ts'
import { clusterKey, rolloutStepMessage } from '../shared/messages.ts'
import { toldFleet } from '../shared/known-fleet.ts'
import { readSettings } from '../shared/settings.ts'
import { rolloutStepSettings } from '../shared/worker-settings.ts'
import type { StepEvent } from '../shared/workflows/rollout/tools.ts'
import { handleStep } from '../shared/workflows/fleet/rollout-message.ts'
import { deploymentHolder } from '../shared/workflows/fleet/tools.ts'

const settings = readSettings(rolloutStepSettings, process.env)
const deployment = readDeployment(settings.OWN_ACCOUNT, process.env)
const policy = policyWith(deployment.policy)
const sqs = bounded(new SQSClient(limited))
// Evaluate, whose messages these are, has read which accounts are the organization's; this function reads no records.
const { fleet, at } = toldFleet(deployment.fleet)
const beginning = () => import('../shared/workflows/fleet/beginning.ts')
const access = fleetAccess(fleet, 'rollout-step', beginning)
const tools = {
  fleet,
  beginning,
  queues: queues(sqs, {
    evaluations: settings.EVALUATIONS_QUEUE_URL,
    rolloutSteps: settings.ROLLOUT_STEPS_QUEUE_URL,
  }),
  records: actedRecords(bounded(new DynamoDBClient(limited)), settings.RECORDS_TABLE),
  brake: brakeOf(settings.BRAKE_PARAMETER, () => sqs.config.credentials()),
  ...heeded(policy, () => sqs.config.credentials()),
  policy,
  needsPermit: true,
  holder: deploymentHolder,
  leaseSeconds: 900,
  now: () => new Date(),
}

/** The rollout queue: applies one step of one cluster's rollout. */
export const handler = worker('rollout-step', {
  schema: rolloutStepMessage,
  received: messagesOf(sqs, { queue: settings.WORK_QUEUE_URL, deadLetters: settings.DEAD_LETTERS_QUEUE_URL }),
  work: (message, { log, ...received }) => {
    at(message.cluster.account)
    const tell = (event: StepEvent) => log(event.what, { cluster: clusterKey(message.cluster), ...event })
    return handleStep({ ...tools, log, access, tell }, message, received)
  },
})
