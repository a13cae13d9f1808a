import { CfnOutput, type Stack } from 'aws-cdk-lib'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { Config } from './config.ts'

/** The maximum number of names in the command: with more, it uses --all or a placeholder. */
const longest = 3_000

/**
 * The stack creates no access entries: one missing cluster, or one that supports none, would roll back the whole
 * deployment. It outputs the command that creates them, with the names of the roles. docs/access.md
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
    'Gives the functions access to clusters of this account: to read, and with --changes to change. --all instead of --cluster means every cluster.'
  return new CfnOutput(stack, 'GrantCommand', { value, description })
}
