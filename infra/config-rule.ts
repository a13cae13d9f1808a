import { Duration, type Stack } from 'aws-cdk-lib'
import { CfnConfigRule } from 'aws-cdk-lib/aws-config'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { mayAnswerConfig, mayReadFleet, maySend } from './access.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { deadLetterQueue } from './queue.ts'
import { keepFailures } from './triggers.ts'

const clusterType = 'AWS::EKS::Cluster'

/**
 * A custom rule of AWS Config over the clusters of the stack's own account and region, answered from the records.
 * CDK's own construct gives the function a managed policy with many more permissions.
 */
export const configRule = (stack: Stack, around: Surroundings, records: Table) => {
  const lost = deadLetterQueue(stack, 'ConfigRuleDeadLetters', {
    meaning: 'AWS Config got no answer; its rule shows the previous result.',
    runbook: 'dead-letters-config-rule',
    alarms: around.alarms,
    key: around.key,
  })
  const it = lambdaFunction(stack, around, {
    name: 'config-rule',
    description: 'Reports to AWS Config which clusters are in step, from the records',
    environment: { RECORDS_TABLE: records.tableName },
    may: [...mayReadFleet(records), ...mayAnswerConfig(stack), maySend(lost)],
    timeout: Duration.minutes(5),
    memorySize: 512,
  })
  keepFailures(it, lost)
  const config = new ServicePrincipal('config.amazonaws.com')
  it.addPermission('Config', { principal: config, sourceAccount: stack.account })
  const detail = (messageType: string) => ({ eventSource: 'aws.config', messageType })
  const rule = new CfnConfigRule(stack, 'InStepRule', {
    description: 'Calico is in step with kube-proxy: node-port range and IPVS mode',
    scope: { complianceResourceTypes: [clusterType] },
    source: {
      owner: 'CUSTOM_LAMBDA',
      sourceIdentifier: it.functionArn,
      sourceDetails: [
        detail('ConfigurationItemChangeNotification'),
        detail('OversizedConfigurationItemChangeNotification'),
        { ...detail('ScheduledNotification'), maximumExecutionFrequency: 'Six_Hours' },
      ],
    },
  })
  // AWS Config invokes the function when the rule is created.
  rule.node.addDependency(it)
  return it
}
