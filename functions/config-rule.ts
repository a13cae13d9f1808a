import { ConfigServiceClient } from '@aws-sdk/client-config-service'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { configRule } from '../shared/clients/aws/config-rule.ts'
import { ruleEventOf } from '../shared/clients/aws/config-rule-event.ts'
import { fleetRecords } from '../shared/clients/aws/fleet-records.ts'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { configRuleSettings } from '../shared/report-settings.ts'
import { answerConfig } from '../shared/workflows/fleet/config-rule.ts'

const settings = readSettings(configRuleSettings, process.env)
const tools = {
  records: fleetRecords(bounded(new DynamoDBClient(limited)), settings.RECORDS_TABLE),
  rule: configRule(bounded(new ConfigServiceClient(limited))),
  region: process.env['AWS_REGION'] ?? '',
  now: () => new Date(),
}

/** AWS Config: a cluster was recorded, or a periodic evaluation of all clusters is due. */
export const handler = lambda('config-rule', (event: unknown, log) =>
  answerConfig({ ...tools, log }, ruleEventOf(event)),
)
