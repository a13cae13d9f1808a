import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import type { Construct } from 'constructs'

/** The last assessment of each cluster and what people were told of it. Evidence: it outlives the stack. */
export const recordsTable = (scope: Construct): Table =>
  new Table(scope, 'Records', {
    /** `account/region/name` */
    partitionKey: { name: 'cluster', type: AttributeType.STRING },
    /** What is kept of the cluster: its assessment, its notices, its rollouts. */
    sortKey: { name: 'record', type: AttributeType.STRING },
    timeToLiveAttribute: 'expiresAt',
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.AWS_MANAGED,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  })
