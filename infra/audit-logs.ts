import { Duration, type Stack } from 'aws-cdk-lib'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnPermission, type Function } from 'aws-cdk-lib/aws-lambda'
import { CfnSubscriptionFilter } from 'aws-cdk-lib/aws-logs'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { auditPattern } from '../shared/domain/event/audit-log.ts'
import { mayRecord, maySend } from './access.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { keepFailures } from './triggers.ts'

interface Work {
  evaluations: IQueue
  records: Table
  lost: IQueue
}

/**
 * Lines of the control planes' audit logs, filtered by CloudWatch Logs before they come here. Only the service
 * may invoke the function, for log groups of clusters of this account and region. The lines are no more trusted than any event.
 */
export const auditLogs = (
  stack: Stack,
  around: Surroundings,
  { evaluations, records, lost }: Work,
): Function | undefined => {
  const { auditLogs: clusters, events } = around.config
  if (clusters.length === 0) return undefined
  const it = lambdaFunction(stack, around, {
    name: 'on-audit-log',
    description: 'A line of an audit log says that somebody configured kube-proxy or Calico: has the cluster looked at',
    environment: {
      OWN_ACCOUNT: stack.account,
      EVALUATIONS_QUEUE_URL: evaluations.queueUrl,
      RECORDS_TABLE: records.tableName,
      LOOK_GAP_SECONDS: String(events.gapSeconds),
    },
    may: [maySend(evaluations, lost), mayRecord(records)],
    timeout: Duration.seconds(30),
    memorySize: 512,
  })
  keepFailures(it, lost)
  const permission = new CfnPermission(it, 'Logs', {
    action: 'lambda:InvokeFunction',
    functionName: it.functionArn,
    principal: new ServicePrincipal('logs.amazonaws.com').service,
    sourceAccount: stack.account,
    sourceArn: `arn:${stack.partition}:logs:${stack.region}:${stack.account}:log-group:/aws/eks/*/cluster:*`,
  })
  for (const cluster of clusters)
    new CfnSubscriptionFilter(it, `AuditLog-${cluster}`, {
      logGroupName: `/aws/eks/${cluster}/cluster`,
      filterName: around.config.stackName,
      filterPattern: auditPattern,
      destinationArn: it.functionArn,
    }).node.addDependency(permission)
  return it
}
