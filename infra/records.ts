import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { latestIndex, recordsParameter } from '../shared/messages.ts'
import type { Construct } from 'constructs'

/**
 * `history` finds the table by this parameter: with a fixed table name, the stack could not be created a second time.
 */
export const tellRecordsTable = (scope: Construct, { tableName }: Table, stackName: string) => ({
  parameter: new StringParameter(scope, 'RecordsTableName', {
    parameterName: recordsParameter(stackName),
    description: 'Name of the table of records, for the command history',
    stringValue: tableName,
  }),
  output: new CfnOutput(scope, 'RecordsTable', { value: tableName, description: 'For --table of the command history' }),
})

/** The last report of each cluster and its notices. It is evidence and is retained when the stack is deleted. */
export const recordsTable = (scope: Construct, key?: IKey): Table => {
  const table = new Table(scope, 'Records', {
    /** `account/region/name` */
    partitionKey: { name: 'cluster', type: AttributeType.STRING },
    /** The kind of record: report, notice, write and others. */
    sortKey: { name: 'record', type: AttributeType.STRING },
    timeToLiveAttribute: 'expiresAt',
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...(key
      ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }
      : { encryption: TableEncryption.AWS_MANAGED }),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    // Without deletion protection: otherwise a failed creation of the stack would leave its empty table behind.
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
