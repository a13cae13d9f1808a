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
  /** The folder of the cloud assembly; default: `cdk.out`, or the option of the CDK's command line. */
  outdir?: string
  /** Context that overrides that of cdk.json. */
  context?: Record<string, unknown>
  /** CloudFormation's own rules, which take four seconds to load; default: true. */
  rules?: boolean
}

/** `infra/limits` counts resources, with a better message. */
const ours = { '@aws-cdk/core:stackResourceLimit': 0 }

/** An app with the feature flags of cdk.json, for the CDK's command line, tests and the lab alike. */
export const flaggedApp = ({ outdir, context, rules = true }: Synthesis = {}): App => {
  const flags = cdkJson.parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context
  const app = new App({
    context: { ...flags, ...ours, ...context },
    builtinCloudFormationValidation: rules,
    ...(outdir ? { outdir } : {}),
  })
  // Throws at synthesis; exceptions are acknowledged where the resource is created, with the reason.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  return app
}

/** The template as deployed: plain JSON, with intrinsic functions if an account or region is not given. */
export const synthesize = (config: Config, options: Synthesis = {}): Template => {
  return synthesizeIn(flaggedApp(options), config, options.bundles ?? bundles)
}

const synthesizeIn = (app: App, config: Config, code: string): Template => {
  checkResources(fleetStack(app, config, code))
  const made = template.parse(app.synth().getStackByName(config.stackName).template)
  checkLimits(config.stackName, made)
  return made
}

/** The account and region of the CDK's credentials. */
const placeOf = ({ CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region }: NodeJS.ProcessEnv) =>
  account && region ? { account, region } : undefined

/**
 * The entry point of the CDK's command line. Errors are printed without a stack trace, which does not help with a
 * deployment.
 */
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
