import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { latestIndex, recordsParameter } from '../shared/messages.ts'
import type { Construct } from 'constructs'

/** `history` finds the table by it: a name of our own choosing would keep a stack from being made a second time. */
export const tellRecordsTable = (scope: Construct, { tableName }: Table, stackName: string) => ({
  parameter: new StringParameter(scope, 'RecordsTableName', {
    parameterName: recordsParameter(stackName),
    description: 'Name of the table of records, for the command history',
    stringValue: tableName,
  }),
  output: new CfnOutput(scope, 'RecordsTable', { value: tableName, description: 'For --table of the command history' }),
})

/** The last assessment of each cluster and what people were told of it. Evidence: it outlives the stack. */
export const recordsTable = (scope: Construct, key?: IKey): Table => {
  const table = new Table(scope, 'Records', {
    /** `account/region/name` */
    partitionKey: { name: 'cluster', type: AttributeType.STRING },
    /** What is kept of the cluster: its assessment, its notices, its rollouts. */
    sortKey: { name: 'record', type: AttributeType.STRING },
    timeToLiveAttribute: 'expiresAt',
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...(key
      ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }
      : { encryption: TableEncryption.AWS_MANAGED }),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    // Not protected from deletion besides: a stack that could not be made would then leave its empty table behind.
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  })
  table.addGlobalSecondaryIndex({
    indexName: latestIndex,
    partitionKey: { name: 'latest', type: AttributeType.STRING },
    sortKey: { name: 'cluster', type: AttributeType.STRING },
    projectionType: ProjectionType.INCLUDE,
    nonKeyAttributes: ['verdict', 'observedAt'],
  })
  return table
}
