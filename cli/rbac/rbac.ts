import { type Command, Option } from 'commander'
import { exitStatus, type Ending } from '../exit-status.ts'
import { type OutputOptions, several, withExamples, withOutput } from '../options.ts'
import { printed } from '../streams.ts'
import type { Document, Install } from './manifests.ts'

interface RbacOptions extends Omit<OutputOptions, 'output'> {
  changes?: boolean
  guard: boolean
  install?: Install
  user?: string[]
  group?: string[]
  output: 'yaml' | 'json'
}

export const addRbac = (program: Command, end: Ending): void => {
  const command = program
    .command('rbac')
    .description('Print the permissions that the tool needs in a cluster, for: rbac | kubectl apply -f -')
    .option('--viewer', 'the permissions to read, and nothing else (the default)')
    .addOption(
      new Option('--changes', 'also the permissions to change, with the admission policies').conflicts('viewer'),
    )
    .option('--no-guard', 'without those policies, for Kubernetes before 1.30')
    .addOption(
      new Option(
        '--install <how>',
        'how Calico was installed: by manifest there is no namespace calico-system (default: print the documents for both)',
      ).choices(['operator', 'manifest'] satisfies Install[]),
    )
    .option(
      '--user <name>',
      'a user of the cluster that gets the same permissions; may be given several times',
      several,
    )
    .option('--group <name>', 'the same for a group of the cluster', several)
  withOutput(command, ['yaml', 'json'], 'yaml').action(async (options: RbacOptions) => {
    const { changes = false, guard, install, user = [], group = [], output } = options
    const { documents } = await import('./manifests.ts')
    const more = [...user.map((name) => ({ kind: 'User', name })), ...group.map((name) => ({ kind: 'Group', name }))]
    const chosen = await documents({ changes, guard, install, more })
    await printed(output === 'json' ? asJson(chosen) : asYaml(chosen, changes), options)
    end(exitStatus.inStep)
  })
  withExamples(
    command,
    'calico-ipvs-sync rbac | kubectl apply -f -',
    'calico-ipvs-sync rbac --changes --group platform-team | kubectl --context prod-1 apply -f -',
  )
}

const asYaml = (chosen: readonly Document[], changes: boolean): string =>
  `# calico-ipvs-sync: what it needs in a cluster ${changes ? 'to look and to change' : 'to look'}.\n${chosen.map(({ text }) => text.trimEnd()).join('\n---\n')}\n`

const asJson = (chosen: readonly Document[]): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: chosen.map(({ manifest }) => manifest) }, null, 2)}\n`
