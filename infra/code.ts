import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Stack, Stage } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { type Deployment, deploymentFile } from '../shared/deployment.ts'

/**
 * A copy of the bundle with the deployment's configuration, inside the cloud assembly: the bundle itself does not
 * change for other deployments, and the asset's hash depends on code and configuration only. Returns the folder.
 */
export const codeWith = (
  scope: Construct,
  deployment: Deployment,
  { from, name }: { from: string; name: string },
): string => {
  const outdir = Stage.of(scope)?.outdir
  if (outdir === undefined) throw new Error(`${scope.node.path} is in no app; create the stack in one.`)
  const folder = join(outdir, 'configured', Stack.of(scope).stackName, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(from, folder, { recursive: true })
  writeFileSync(join(folder, deploymentFile), JSON.stringify(deployment, undefined, 1))
  return folder
}
