import { CfnOutput, type Stack } from 'aws-cdk-lib'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { Config } from './config.ts'

/** Longer, and it could not be read in a terminal any more: then the whole region is meant, or the names are filled in. */
const longest = 3_000

/**
 * The stack makes no access entries: one cluster that is not there, or takes none, would take all of the deployment back with it.
 * It prints the command that makes them, with the roles as they came to be named. docs/access.md
 */
export const grantCommand = (
  stack: Stack,
  { clusters }: Pick<Config, 'clusters'>,
  roles: { viewer: IRole; operator: IRole },
): CfnOutput => {
  const named = clusters.map((name) => `--cluster ${name}`).join(' ')
  const which = clusters.length > 0 && named.length <= longest ? named : '--cluster NAME'
  const value = `calico-ipvs-sync grant ${which} --region ${stack.region} --viewer-role ${roles.viewer.roleArn} --operator-role ${roles.operator.roleArn}`
  const description =
    'Lets the functions into clusters of this account: to look, and with --changes to change. --all instead of --cluster is every cluster.'
  return new CfnOutput(stack, 'GrantCommand', { value, description })
}
