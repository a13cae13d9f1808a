import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { type Fleet, fleet, policySetting } from './settings.ts'

/**
 * What has no ceiling, and so is no variable of a function: Lambda takes 4,096 bytes of those in all. It lies beside each
 * function's code and is deployed with it. The stack's own account is not in it, for it may be known only when it is deployed.
 */
export const deployment = z.object({
  /** Absent: the stack's own account, its own region. */
  fleet: z.partial(z.omit(fleet, { own: true })),
  /** Partial: what is absent has the default of `shared/domain/policy/policy.ts`. */
  policy: policySetting,
})
export type Deployment = z.infer<typeof deployment>

export const deploymentFile = 'deployment.json'

/** Read once at cold start. Throws with the file and every name in it that is wrong, never with a value. */
export const readDeployment = (own: string, env: NodeJS.ProcessEnv): { fleet: Fleet; policy: Deployment['policy'] } => {
  const { AWS_REGION: region = '', LAMBDA_TASK_ROOT: folder = '.' } = env
  const { fleet, policy } = parsed(join(folder, deploymentFile))
  return {
    policy,
    fleet: { ...fleet, own, regions: fleet.regions ?? [region], accounts: fleet.accounts ?? [{ account: own }] },
  }
}

const parsed = (file: string): Deployment => {
  const read = deployment.safeParse(jsonIn(file))
  if (read.success) return read.data
  const faults = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`${file} cannot be used; deploy the stack again. ${faults.join('; ')}`)
}

const jsonIn = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`${file} is not there or is not JSON; deploy the stack again.`, { cause })
  }
}
