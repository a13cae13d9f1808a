import { Stack, Validations } from 'aws-cdk-lib'
import { Role, type ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import type { Permission } from './access.ts'

export interface RoleSpec {
  assumedBy: ServicePrincipal
  /** Only if another account trusts the role by its name. */
  roleName?: string
  may: Permission[]
}

/**
 * A role for one function or schedule of this account. A permission with a pattern as resource is accepted only with
 * a reason.
 */
export const roleFor = (scope: Construct, id: string, { may, ...properties }: RoleSpec): Role => {
  const role = new Role(scope, id, properties)
  for (const { statement, because } of may) {
    role.addToPolicy(statement)
    if (because) for (const resource of statement.resources) accept(role, resource, because)
  }
  return role
}

const accept = (role: Role, resource: string, reason: string) => {
  const shown = asCdkNagSees(Stack.of(role).resolve(resource))
  if (shown.includes('*')) Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${shown}]`, reason })
}

/** `arn:<AWS::Partition>:eks:…`: text, with references by name in angle brackets. */
const asCdkNagSees = (resolved: unknown): string => {
  if (Array.isArray(resolved)) return resolved.map(asCdkNagSees).join('')
  if (typeof resolved !== 'object' || resolved === null) return String(resolved)
  if ('Fn::Join' in resolved && Array.isArray(resolved['Fn::Join'])) return asCdkNagSees(resolved['Fn::Join'][1])
  if ('Fn::GetAtt' in resolved && Array.isArray(resolved['Fn::GetAtt'])) return `<${resolved['Fn::GetAtt'].join('.')}>`
  return 'Ref' in resolved ? `<${String(resolved.Ref)}>` : JSON.stringify(resolved)
}
