import { CfnResource, type Stack } from 'aws-cdk-lib'
import { ofEvents } from './events.ts'
import { ofFunctions } from './functions.ts'
import type { Limit, Resource, Synthesized } from './limit.ts'
import { ofPolicies } from './policies.ts'
import { ofStack } from './stack.ts'

export const limits: Limit[] = [...ofStack, ...ofPolicies, ...ofFunctions, ...ofEvents]

interface Template {
  Resources: Record<string, Resource>
  Outputs?: Record<string, unknown> | undefined
}

/** The same for a stack that is not synthesized yet: the validation rules take minutes for thousands of resources. */
export const checkResources = (stack: Stack): void => {
  const all = stack.node.findAll().filter((it) => CfnResource.isCfnResource(it))
  const resources = Object.fromEntries(
    all.map(({ node, cfnResourceType: Type }) => [node.path, { Type, Properties: {} }]),
  )
  refuse(ofStack, { stackName: stack.stackName, resources, outputs: 0, bytes: 0 })
}

/** Throws with everything that AWS would reject at deployment, and how to fix it. */
export const checkLimits = (stackName: string, template: Template): void => {
  refuse(limits, {
    stackName,
    resources: template.Resources,
    outputs: Object.keys(template.Outputs ?? {}).length,
    bytes: Buffer.byteLength(JSON.stringify(template)),
  })
}

const refuse = (those: Limit[], stack: Synthesized): void => {
  const faults = those.flatMap((limit) => limit.faults(stack))
  if (faults.length > 0)
    throw new Error(`AWS would reject this deployment; change its configuration and try again.\n${faults.join('\n')}`)
}
