import { type Command, InvalidArgumentError } from 'commander'
import { exitStatus, type Ending } from './exit-status.ts'
import { UsageError } from './failure.ts'
import { type OutputOptions, withExamples, withOutput } from './options.ts'
import { printed } from './streams.ts'

interface SpokeOptions extends Omit<OutputOptions, 'output'> {
  hubAccount?: string
  hubRegion?: string
  externalId?: string
  deployment?: string
  rolesRegion?: string
  changes: boolean
  output: 'yaml' | 'json'
}

export const addSpokeTemplate = (program: Command, end: Ending): void => {
  const command = program
    .command('spoke-template')
    .description("Print the CloudFormation template of a spoke: another account, or another region of the hub's own.")
    .option('--hub-account <id>', 'account of the hub (default: a parameter without a default)', fitting(/^\d{12}$/))
    .option('--hub-region <region>', "region of the hub's stack", fitting(/^[a-z]{2,4}(-[a-z]+)+-\d$/))
    .option(
      '--external-id <id>',
      "external id that the hub sends when it assumes a role: the stack's output ExternalId",
      fitting(/^[\w+=,.@:/-]{2,1224}$/),
    )
    .option('--roles-region <region>', 'the one region in which the roles are created (default: that of the hub)')
    .option('--deployment <name>', "the hub's name, if its stack is not named CalicoIpvsSync")
    .option('--no-changes', 'without the role that changes: the account is only reported')
  withOutput(command, ['yaml', 'json'], 'yaml').action(async (options: SpokeOptions) => {
    const { output, hubAccount, hubRegion, externalId, deployment, rolesRegion, changes } = options
    if ((hubAccount === undefined) !== (hubRegion === undefined))
      throw new UsageError('--hub-account and --hub-region belong together: give both, or neither')
    const { defaultExternalId, defaultDeployment } = await import('../shared/domain/fleet-names.ts')
    const { spokeTemplate } = await import('../shared/domain/spoke/template.ts')
    const assumed = hubAccount && defaultExternalId(deployment ?? defaultDeployment, hubAccount)
    const given = { hubAccount, hubRegion, externalId: externalId ?? assumed, deployment, rolesRegion, changes }
    const template = spokeTemplate(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
    const text = output === 'json' ? `${JSON.stringify(template, null, 2)}\n` : await asYaml(template)
    await printed(text, options)
    end(exitStatus.inStep)
  })
  withExamples(
    command,
    'calico-ipvs-sync spoke-template --hub-account 111122223333 --hub-region eu-west-1',
    'calico-ipvs-sync spoke-template --hub-account 111122223333 --hub-region eu-west-1 --no-changes -o json',
  )
}

const fitting = (pattern: RegExp) => (value: string) => {
  if (!pattern.test(value)) throw new InvalidArgumentError(`It must look like ${pattern.source}`)
  return value
}

const asYaml = async (template: object): Promise<string> => {
  const { yamlText } = await import('./yaml-text.ts')
  return `# A spoke of calico-ipvs-sync: docs/fleet.md says how to roll it out.\n${yamlText(template)}`
}
