import { Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Permission } from './access.ts'
import type { Config } from './config.ts'

/**
 * A customer's key instead of AWS's own, for all data of the stack. The customer also writes its policy:
 * docs/deploy.md.
 */
export const customerKey = (scope: Construct, { kmsKeyArn }: Pick<Config, 'kmsKeyArn'>): IKey | undefined =>
  kmsKeyArn ? Key.fromKeyArn(scope, 'CustomerKey', kmsKeyArn) : undefined

/** Services that use the key on behalf of their caller. */
const services = ['sqs', 'sns', 'dynamodb', 's3', 'secretsmanager'] as const

/**
 * The KMS permissions that queues, topic, table and secrets need from their caller; the table needs the last five.
 * Only through those services.
 */
export const mayUseKey = (scope: Construct, keyArns: string[]): Permission[] => {
  if (keyArns.length === 0) return []
  const { region, urlSuffix } = Stack.of(scope)
  return [
    {
      statement: new PolicyStatement({
        actions: [
          'kms:Decrypt',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
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
