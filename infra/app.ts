import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import * as z from 'zod'
import { bundles, root } from './bundle.ts'
import { type Config, readConfig } from './config.ts'
import { fleetStack } from './stack.ts'

const cdkJson = z.object({ context: z.record(z.string(), z.unknown()) })
const resource = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) })
const template = z.looseObject({ Resources: z.record(z.string(), resource) })
export type Template = z.output<typeof template>

export interface Synthesis {
  /** Default: `out/lambda`, where `infra/bundle.ts` puts them. */
  bundles?: string
  /** Where the cloud assembly goes; default: `cdk.out`, or where the CLI says. */
  outdir?: string
  /** Context that wins over cdk.json's. */
  context?: Record<string, unknown>
}

/** An app with the feature flags of cdk.json, for the CDK's command line, tests and the lab alike. */
export const flaggedApp = ({ outdir, context }: Synthesis = {}): App => {
  const flags = cdkJson.parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context
  const app = new App({ context: { ...flags, ...context }, ...(outdir ? { outdir } : {}) })
  // Throws at synthesis; whatever is accepted is acknowledged where it is made, with the reason.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  return app
}

/** The template as CloudFormation gets it: plain JSON, with intrinsic functions where an account or region is not given. */
export const synthesize = (config: Config, options: Synthesis = {}): Template => {
  const app = flaggedApp(options)
  fleetStack(app, config, options.bundles ?? bundles)
  return template.parse(app.synth().getStackByName(config.stackName).template)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = flaggedApp()
  const named = z.string().optional().parse(app.node.tryGetContext('config'))
  fleetStack(app, readConfig(root, named), bundles)
}
