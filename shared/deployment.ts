import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { type Fleet, fleet, policySetting } from './settings.ts'

/**
 * Configuration of unlimited size, which does not fit into environment variables: Lambda allows 4,096 bytes for them.
 * The file is deployed with each function's code. It does not contain the stack's own account, which may be known
 * only at deployment.
 */
export const deployment = z.object({
  /** Absent: the stack's own account, its own region. */
  fleet: z.partial(z.omit(fleet, { own: true })),
  /** Partial: absent settings have the defaults of `shared/domain/policy/policy.ts`. */
  policy: policySetting,
  /** How often the fleet is swept; recorded with each verdict. */
  sweep: z.optional(z.object({ everyMinutes: z.int(), withinMinutes: z.int() })),
})
export type Deployment = z.infer<typeof deployment>

export const deploymentFile = 'deployment.json'

/** Read once at cold start. Throws with the file and the names of all invalid settings, never with a value. */
export const readDeployment = (own: string, env: NodeJS.ProcessEnv): Omit<Deployment, 'fleet'> & { fleet: Fleet } => {
  const { AWS_REGION: region = '', LAMBDA_TASK_ROOT: folder = '.' } = env
  const { fleet, ...rest } = parsed(join(folder, deploymentFile))
  return {
    ...rest,
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
    throw new Error(`${file} is missing or is not JSON; deploy the stack again.`, { cause })
  }
}
