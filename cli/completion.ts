import { Argument, type Command, type Option } from 'commander'
import { exitStatus } from './exit-status.ts'
import type { Ending } from './exit-status.ts'
import { write } from './streams.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

export const addCompletion = (program: Command, end: Ending): void => {
  program
    .command('completion')
    .description('Print what a shell needs to complete commands, options, contexts, clusters and codes.')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText('after', completionHelp)
    .action(async (shell: Shell) => {
      await write(process.stdout, scripts[shell])
      end(exitStatus.inStep)
    })
  // Called by the completion scripts: prints the candidates for the last of these words, one a line.
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      await write(process.stdout, `${(await candidates(program, words)).join('\n')}\n`)
      end(exitStatus.inStep)
    })
}

const completionHelp = `
Examples:
  source <(calico-ipvs-sync completion bash)
  calico-ipvs-sync completion zsh > "\${fpath[1]}/_calico-ipvs-sync"
  calico-ipvs-sync completion fish > ~/.config/fish/completions/calico-ipvs-sync.fish

Of the plugin, kubectl completes the words by itself: the package has kubectl_complete-calico_ipvs.`

/**
 * Candidates for the last word, which may be empty; the words before it say what it is. Sends no request to a cluster
 * or to AWS.
 */
export const candidates = async (program: Command, words: readonly string[]): Promise<string[]> => {
  const [current = '', ...before] = words.toReversed()
  const command = commandOf(program, before.toReversed())
  const optionNamed = (name: string | undefined) =>
    command.options.find((it) => (it.short === name || it.long === name) && (it.required || it.optional))
  const [, name, joint = ''] = /^(--[^=]+)(=)/.exec(current) ?? []
  const option = optionNamed(name ?? before[0])
  const values = option && (await valuesOf(option, optionOf(words, '--kubeconfig')))
  const known = values ?? [...(await argumentsOf(command)), ...optionsOf(command)]
  const prefix = name === undefined ? '' : `${name}${joint}`
  return known.map((word) => `${prefix}${word}`).filter((word) => word.startsWith(current) && !/[\n\r]/.test(word))
}

/** The value that an option has already. */
const optionOf = (words: readonly string[], name: string): string | undefined =>
  words.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1) ??
  (words.includes(name) ? words[words.indexOf(name) + 1] : undefined)

const commandOf = (program: Command, words: readonly string[]): Command => {
  let command = program
  for (const word of words) command = command.commands.find((it) => it.name() === word) ?? command
  return command
}

const optionsOf = (command: Command): string[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? [])

const argumentsOf = async (command: Command): Promise<string[]> => {
  if (command.name() === 'explain') return codes()
  const [argument] = command.registeredArguments
  return [
    ...command.commands.map((it) => it.name()).filter((name) => !name.startsWith('__')),
    ...(argument?.argChoices ?? []),
  ]
}

const valuesOf = async ({ long, argChoices }: Option, kubeconfig?: string): Promise<string[]> => {
  if (argChoices) return argChoices
  if (long === '--context') return (await contexts(kubeconfig)).map(({ context }) => context)
  if (long === '--cluster') return (await contexts(kubeconfig)).flatMap(({ name }) => name ?? [])
  return []
}

const codes = async (): Promise<string[]> => [...(await import('../shared/domain/report.ts')).findingCodes]

/** From the kubeconfig; the names of EKS clusters come from the ARNs of its contexts. */
const contexts = async (kubeconfig?: string): Promise<{ context: string; name?: string }[]> => {
  const [{ contextNames }, { partsOf }] = await Promise.all([
    import('../shared/clients/kubeconfig/load.ts'),
    import('../shared/domain/identity.ts'),
  ])
  try {
    return contextNames(kubeconfig).map((context) => ({ context, ...partsOf(context) }))
  } catch {
    return []
  }
}

/** The names come from untrusted files: the scripts must not let a shell evaluate them as code. Where there is no word, files are offered. */
const scripts: Record<Shell, string> = {
  // Bash takes a colon and an equals sign for the end of a word, and contexts are ARNs: the words come from the line, and what stands before the
  // last of these signs stays there.
  bash: `_calico_ipvs_sync() {
  local line="\${COMP_LINE:0:COMP_POINT}" word current
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current="\${words[\${#words[@]}-1]}"
  local kept= ends="\${COMP_WORDBREAKS//[^:=]}"
  [[ -n $ends ]] && kept="\${current%"\${current##*[$ends]}"}"
  COMPREPLY=()
  while IFS= read -r word; do
    [[ -n $word ]] && COMPREPLY+=("$(printf %q "\${word#"$kept"}")")
  done < <(calico-ipvs-sync __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _calico_ipvs_sync calico-ipvs-sync
`,
  zsh: `#compdef calico-ipvs-sync
_calico-ipvs-sync() {
  local -a words_found
  words_found=("\${(@f)$(calico-ipvs-sync __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  words_found=("\${(@)words_found:#}")
  (( $#words_found )) && compadd -- "\${words_found[@]}" || _files
}
# As a file in fpath it is the function itself.
if [[ $funcstack[1] == _calico-ipvs-sync ]]; then
  _calico-ipvs-sync "$@"
else
  compdef _calico-ipvs-sync calico-ipvs-sync
fi
`,
  fish: `function __calico_ipvs_sync_words
  set -l words (commandline -opc) (commandline -ct)
  set -l found (calico-ipvs-sync __complete -- $words[2..] 2>/dev/null | string match -v '')
  test (count $found) -gt 0 && printf '%s\\n' $found || __fish_complete_path (commandline -ct)
end
complete -c calico-ipvs-sync -f -a '(__calico_ipvs_sync_words)'
`,
}
