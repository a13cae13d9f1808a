import { labelOf, type Limit, ofType, type Synthesized } from './limit.ts'
import { lengthOf } from './longest.ts'

const fewer =
  'Give accounts the fixed role names (leave out `viewerRoleArn` and `operatorRoleArn`), name fewer regions in `regions`, or fewer alarms of other regions in `policy.pauseOnAlarms`.'

const roleRefs = (roles: unknown): string[] =>
  (Array.isArray(roles) ? (roles as unknown[]) : []).flatMap((role) =>
    typeof role === 'object' && role !== null && 'Ref' in role ? [String(role.Ref)] : [],
  )

/** The characters of all inline policies of a role, which IAM sums up. */
const inlineOf = (stack: Synthesized, role: string): number => {
  const attached = ofType(stack, 'AWS::IAM::Policy').filter(([, it]) => roleRefs(it['Roles']).includes(role))
  const own = stack.resources[role]?.Properties['Policies']
  const documents = [
    ...attached.map(([, it]) => it['PolicyDocument']),
    ...(Array.isArray(own) ? own.map((it: { PolicyDocument: unknown }) => it.PolicyDocument) : []),
  ]
  return documents.reduce<number>((sum, it) => sum + lengthOf(it, stack.stackName), 0)
}

/** A policy document of one resource that may have at most `most` characters. */
const document = (type: string, property: string, most: number, advice: string): Limit => ({
  quota: `${type} ${property}: ${most} characters`,
  faults: (stack) =>
    ofType(stack, type).flatMap(([id, properties]) => {
      const length = properties[property] === undefined ? 0 : lengthOf(properties[property], stack.stackName)
      if (length <= most) return []
      return [`The ${property} of ${labelOf(id)} would have ${length} characters and AWS takes ${most}. ${advice}`]
    }),
})

const listed = 'Use `organizationId` instead of a list of accounts.'

/** For all statements of one bus together. */
const busPolicies: Limit = {
  quota: 'Event bus policy: 10,240 characters',
  faults: (stack) => {
    const statements = ofType(stack, 'AWS::Events::EventBusPolicy')
    const length = statements.reduce((sum, [, it]) => sum + lengthOf(it['Statement'] ?? it, stack.stackName), 0)
    if (length <= 10_240) return []
    return [`The policy of the event bus would have ${length} characters and EventBridge takes 10,240. ${listed}`]
  },
}

export const ofPolicies: Limit[] = [
  {
    quota: 'Inline policies of a role: 10,240 characters',
    faults: (stack) =>
      ofType(stack, 'AWS::IAM::Role').flatMap(([id]) => {
        const length = inlineOf(stack, id)
        if (length <= 10_240) return []
        return [
          `The policies of ${labelOf(id)} would have ${length} characters and IAM takes 10,240 for a role. ${fewer}`,
        ]
      }),
  },
  {
    quota: 'Managed policies of a role: 10',
    faults: (stack) =>
      ofType(stack, 'AWS::IAM::Role').flatMap(([id, { ManagedPolicyArns: arns }]) =>
        !Array.isArray(arns) || arns.length <= 10
          ? []
          : [`${labelOf(id)} would have ${arns.length} managed policies and IAM takes 10. ${fewer}`],
      ),
  },
  document('AWS::IAM::ManagedPolicy', 'PolicyDocument', 6_144, fewer),
  // The default; up to 4,096 on request.
  document('AWS::IAM::Role', 'AssumeRolePolicyDocument', 2_048, listed),
  document('AWS::SNS::TopicPolicy', 'PolicyDocument', 30_720, listed),
  document('AWS::SQS::QueuePolicy', 'PolicyDocument', 65_536, listed),
  document('AWS::KMS::Key', 'KeyPolicy', 32_768, listed),
  document('AWS::S3::BucketPolicy', 'PolicyDocument', 20_480, listed),
  busPolicies,
]
