import type { Command } from 'commander'
import { programOf } from './main.ts'

/** docs/commands.md: the help of every command, as the parser prints it at 100 columns. `npm run commands` writes it. */
export const commandsPage = (): string =>
  [intro, ...visibleCommands(programOf(() => undefined)).map(section)].join('\n\n').concat('\n')

const intro = [
  '# Commands',
  '',
  'The help of every command, as the program itself prints it. `npm run commands` writes this page.',
  'As a kubectl plugin the same commands begin with `kubectl calico-ipvs`; where the tool is not installed but cloned, with `npx calico-ipvs-sync`.',
  '',
  '`--output-file` replaces a file that is there, because a pipeline writes its report each time anew; `capture` alone refuses, without `--force`.',
  '',
  'What is always the same can stand in a file that `--config` or `CALICO_IPVS_SYNC_CONFIG` names; none is searched for, in the current folder or',
  'elsewhere. The command line counts more, and so does `KUBECONFIG`. `--verbose` and `doctor` say which file is in force; an unknown key is refused.',
  '',
  '```yaml',
  'kubeconfig: clusters.kubeconfig      # relative to this file',
  'context: prod-1                      # where none is named',
  'contexts: [prod-1, prod-2]           # of sweep, where neither context nor region is named',
  "ranges:                              # the API server's, by context or by name of an EKS cluster",
  '  prod-1: 20000-32767',
  'exceptions:                          # until the end of that day (UTC) they fail no check and are never changed by sync',
  '  - {cluster: 111122223333/eu-west-1/prod-2, code: RANGE_TOO_WIDE, until: 2027-03-31, reason: moved to nftables by then}',
  '```',
].join('\n')

/** The command and those below it, depth first, without the hidden ones and `help`. */
const visibleCommands = (command: Command): Command[] => {
  const below = command.createHelp().visibleCommands(command)
  return [command, ...below.filter((it) => it.name() !== 'help').flatMap(visibleCommands)]
}

const section = (command: Command): string => `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``

const nameOf = (command: Command): string =>
  command.parent ? [nameOf(command.parent), command.name()].join(' ') : command.name()

/** With what is printed after it (examples, exit status). */
const helpOf = (command: Command): string => {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 })
  command.outputHelp()
  return text.trimEnd()
}

if (process.argv[1] === import.meta.filename) process.stdout.write(commandsPage())
