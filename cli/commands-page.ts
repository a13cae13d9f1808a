import type { Command } from 'commander'
import { programOf } from './main.ts'

/** docs/commands.md: the help of every command, as the parser prints it at 100 columns. `npm run commands` writes it. */
export const commandsPage = (): string =>
  [intro, ...visibleCommands(programOf(() => undefined)).map(section)].join('\n\n').concat('\n')

const intro = [
  '# Commands',
  '',
  'The help of every command, as the program itself prints it. `npm run commands` writes this page.',
  'As a kubectl plugin the same commands begin with `kubectl calico-ipvs`.',
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
