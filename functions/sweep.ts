import { SQSClient } from '@aws-sdk/client-sqs'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { eksAccess } from '../shared/clients/aws/eks-access.ts'
import { queues } from '../shared/clients/aws/queues.ts'
import { readDeployment } from '../shared/deployment.ts'
import { sessionName } from '../shared/domain/fleet.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings, sweepSettings } from '../shared/settings.ts'
import { sweep } from '../shared/workflows/fleet/sweep.ts'

const settings = readSettings(sweepSettings, process.env)
const { fleet } = readDeployment(settings.OWN_ACCOUNT, process.env)
const out = queues(bounded(new SQSClient(limited)), { evaluations: settings.EVALUATIONS_QUEUE_URL })
const access = eksAccess()
const session = sessionName(fleet, 'sweep')

/** The schedule: every cluster of the fleet is to be looked at. */
export const handler = lambda('sweep', (_: unknown, log) =>
  sweep({ queues: out, log, list: (place) => access({ ...place, session }).eks.list() }, fleet),
)
