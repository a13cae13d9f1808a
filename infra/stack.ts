import { type App, Stack } from 'aws-cdk-lib'
import type { Deployment } from '../shared/deployment.ts'
import { defaultDeployment, deploymentName } from '../shared/domain/fleet-names.ts'
import type { Fleet } from '../shared/settings.ts'
import { executionRoleOf } from './access.ts'
import { setRunbook } from './alarms.ts'
import { brake } from './brake.ts'
import type { Config } from './config.ts'
import { customerKey } from './customer-key.ts'
import { endpoints } from './endpoints.ts'
import { configRule } from './config-rule.ts'
import { dashboard } from './dashboard.ts'
import { fleetReports, reportsBucket } from './fleet-report.ts'
import type { Surroundings } from './function.ts'
import { eventHandlers, sweeping } from './event-handlers.ts'
import { grantCommand } from './grant-command.ts'
import { alarmsTopic, noticesKey, noticesTopic, teller } from './notices.ts'
import { outputs } from './outputs.ts'
import { recordsTable, tellRecordsTable } from './records.ts'
import { slackChannels } from './slack.ts'
import { watchVerdicts } from './verdicts.ts'
import { queues, workers } from './workers.ts'

/**
 * The deployment: events and a schedule name clusters, one queue has the clusters to evaluate, another the steps of
 * rollouts, a table has the records and a topic sends notices. `bundles`: folder with `<name>/index.js` for each
 * function.
 */
export const fleetStack = (app: App, config: Config, bundles: string): Stack => {
  const stack = new Stack(app, config.stackName, {
    description: "Keeps Calico in step with kube-proxy's IPVS mode and the node-port range of EKS clusters",
    tags: config.tags,
    ...(config.env ? { env: config.env } : {}),
  })
  setRunbook(stack, config.runbookBaseUrl)
  const fleet = fleetOf(stack, config)
  const own = customerKey(stack, config)
  const key = own ?? noticesKey(stack)
  const around: Surroundings = {
    config,
    alarms: alarmsTopic(stack, key, config),
    bundles,
    deployment: deploymentOf(config),
    key: own,
  }
  const notices = noticesTopic(stack, key, config)
  const { evaluations, rolloutSteps } = queues(stack, around)
  const records = recordsTable(stack, own)
  const reports = reportsBucket(stack, own)
  const tellings = teller(stack, around, { notices, key, records, reports })

  const { onEvent, onAuditLog, bus } = eventHandlers(stack, around, { evaluations, fleet, records })
  const { sweep, listClusters } = sweeping(stack, around, { evaluations, fleet, records, tellings })
  tellRecordsTable(stack, records, config.stackName)
  const { evaluate, rolloutStep } = workers(stack, around, {
    evaluations,
    rolloutSteps,
    tellings,
    fleet,
    records,
    brake: brake(stack, config.stackName),
  })
  grantCommand(stack, config, { viewer: executionRoleOf(evaluate), operator: executionRoleOf(rolloutStep) })
  watchVerdicts(around, {
    onEvent: onEvent.logGroup,
    onAuditLog: onAuditLog?.logGroup,
    evaluate: evaluate.logGroup,
    rolloutStep: rolloutStep.logGroup,
    listClusters: listClusters.logGroup,
    sweep: sweep.logGroup,
  })
  fleetReports(stack, around, { records, bucket: reports })
  if (config.configRule) configRule(stack, around, records)
  slackChannels(stack, around, { notices, records })
  endpoints(stack, config)
  outputs(stack, config, { bus, listClusters, evaluate, rolloutStep })
  dashboard(stack, config, { records })
  return stack
}

/** The configuration that the functions read; absent values are known to the functions. */
const deploymentOf = ({
  accounts,
  regions,
  organization,
  policy,
  sweep,
  stackName,
  externalId,
}: Config): Deployment => ({
  fleet: {
    ...namesOf({ stackName, externalId }),
    ...(accounts && { accounts }),
    ...(regions && { regions }),
    ...(organization && { organization }),
  },
  policy: { ...policy, action: policy.action ?? 'report' },
  sweep,
})

const namesOf = ({ stackName, externalId }: Pick<Config, 'stackName' | 'externalId'>) => ({
  ...(deploymentName(stackName) !== defaultDeployment && { deployment: deploymentName(stackName) }),
  ...(externalId && { externalId }),
})

const fleetOf = ({ account, region }: Stack, config: Config): Fleet => ({
  own: account,
  ...namesOf(config),
  regions: config.regions ?? [region],
  accounts: config.accounts ?? [{ account }],
  ...(config.organization && { organization: config.organization }),
})
