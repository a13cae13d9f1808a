import { Command } from 'commander'

export interface Program {
  name: string
  description: string
  chapters: readonly { name: string }[]
  /** Why it cannot be run here, and what to do about it. Undefined: it can. */
  obstacle: (flags: Readonly<Record<string, unknown>>) => string | undefined
  /** Answers the exit status. */
  run: (only: string[] | undefined, flags: Readonly<Record<string, unknown>>) => Promise<number>
  /** Further options, each with its description. */
  flags?: Readonly<Record<string, string>>
}

/** The command line of a proof. Exit statuses: 0 all held, 1 not all, 2 not shown, 64 misuse. */
export async function runProgram({ name, description, chapters, obstacle, run, flags = {} }: Program): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${name}: ${text}\n`)
  const names = chapters.map((it) => it.name)
  const act = async ({ only, ...given }: { only?: string[] }): Promise<number> => {
    const unknown = only?.filter((it) => !names.includes(it)) ?? []
    if (unknown.length > 0) {
      say(`There is no ${unknown.join(', ')}; there are ${names.join(', ')}.`)
      return 64
    }
    const reason = obstacle(given)
    if (reason !== undefined) {
      say(`SKIPPED, nothing was shown. ${reason}`)
      return 2
    }
    return await run(only, given)
  }
  const program = new Command(name)
    .description(description)
    .option('--only <chapter...>', `some of ${names.join(', ')}; pages are written of all chapters only`)
    .action(async (options: { only?: string[] }) => {
      process.exitCode = await act(options)
    })
  for (const [flag, text] of Object.entries(flags)) program.option(flag, text)
  try {
    await program.parseAsync()
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 2
  }
}
