import * as z from 'zod'
import { partitionOf } from '../shared/domain/partitions.ts'
import type { Fault } from './config-limits.ts'

const arn = (rest: string, what: string) => z.string().regex(new RegExp(`^arn:aws[a-z-]*:${rest}$`), what)

/** ARNs of what a configuration names and the stack does not create. */
export const arns = {
  topic: arn(
    String.raw`sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?`,
    'is no ARN of a topic, arn:aws:sns:REGION:ACCOUNT:NAME',
  ),
  secret: arn(
    String.raw`secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,519}`,
    'is no ARN of a secret, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME',
  ),
  /** No alias: IAM decides by the key. */
  key: arn(
    String.raw`kms:[a-z0-9-]+:\d{12}:key\/[\w-]{1,100}`,
    'is no ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID; an alias has none',
  ),
}

/** What the stack uses is in its own region, which is in one partition only. */
export const placeFault = (
  named: string | undefined,
  env: { region: string } | undefined,
  path: Fault['path'],
): Fault | undefined => {
  const [, partition, , region] = named?.split(':') ?? []
  if (!env || region === undefined) return undefined
  if (region !== env.region) return { path, message: `is of ${region}, and the stack is in ${env.region}` }
  const own = partitionOf(region)
  return partition === own
    ? undefined
    : { path, message: `begins with arn:${partition}, and in ${region} ARNs begin with arn:${own}` }
}
