import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import * as z from 'zod'
import { bundles, root } from './bundle.ts'
import { type Config, readConfig } from './config.ts'
import { checkLimits, checkResources } from './limits/check.ts'
import { fleetStack } from './stack.ts'

const cdkJson = z.object({ context: z.record(z.string(), z.unknown()) })
const resource = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) })
const template = z.looseObject({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.unknown()).optional(),
})
export type Template = z.output<typeof template>

export interface Synthesis {
  /** Default: `out/lambda`, where `infra/bundle.ts` puts them. */
  bundles?: string
  /** Where the cloud assembly goes; default: `cdk.out`, or where the CLI says. */
  outdir?: string
  /** Context that wins over cdk.json's. */
  context?: Record<string, unknown>
}

/** Resources are counted by `infra/limits`, which also says what to do. */
const ours = { '@aws-cdk/core:stackResourceLimit': 0 }

/** An app with the feature flags of cdk.json, for the CDK's command line, tests and the lab alike. */
export const flaggedApp = ({ outdir, context }: Synthesis = {}): App => {
  const flags = cdkJson.parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context
  const app = new App({ context: { ...flags, ...ours, ...context }, ...(outdir ? { outdir } : {}) })
  // Throws at synthesis; whatever is accepted is acknowledged where it is made, with the reason.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  return app
}

/** The template as CloudFormation gets it: plain JSON, with intrinsic functions where an account or region is not given. */
export const synthesize = (config: Config, options: Synthesis = {}): Template => {
  return synthesizeIn(flaggedApp(options), config, options.bundles ?? bundles)
}

const synthesizeIn = (app: App, config: Config, code: string): Template => {
  checkResources(fleetStack(app, config, code))
  const made = template.parse(app.synth().getStackByName(config.stackName).template)
  checkLimits(config.stackName, made)
  return made
}

/** What the CDK's command line says of the credentials it deploys with. */
const placeOf = ({ CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region }: NodeJS.ProcessEnv) =>
  account && region ? { account, region } : undefined

/** As the CDK's command line runs it. What is wrong is said in words; where in the code it was found helps nobody who deploys. */
const main = (): void => {
  try {
    const app = flaggedApp()
    const named = z.string().optional().parse(app.node.tryGetContext('config'))
    synthesizeIn(app, readConfig(root, named, placeOf(process.env)), bundles)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main()
}
