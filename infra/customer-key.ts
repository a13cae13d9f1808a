import { Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Permission } from './access.ts'
import type { Config } from './config.ts'

/** A key of the customer's in place of AWS's own, for all that the stack keeps. Its policy is the customer's too: docs/deploy.md. */
export const customerKey = (scope: Construct, { kmsKeyArn }: Pick<Config, 'kmsKeyArn'>): IKey | undefined =>
  kmsKeyArn ? Key.fromKeyArn(scope, 'CustomerKey', kmsKeyArn) : undefined

/** Services that use the key in the name of who calls them. */
const services = ['sqs', 'sns', 'dynamodb', 's3', 'secretsmanager'] as const

/** What queues, topic, table and secrets ask of their caller; the table wants the last four. Only by way of those services. */
export const mayUseKey = (scope: Construct, keyArns: string[]): Permission[] => {
  if (keyArns.length === 0) return []
  const { region, urlSuffix } = Stack.of(scope)
  return [
    {
      statement: new PolicyStatement({
        actions: [
          'kms:Decrypt',
          'kms:GenerateDataKey',
          'kms:Encrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:DescribeKey',
        ],
        resources: keyArns,
        conditions: { StringEquals: { 'kms:ViaService': services.map((it) => `${it}.${region}.${urlSuffix}`) } },
      }),
    },
  ]
}
