import { Command } from 'commander'
import { buildBinary } from '../../lab/binaries.ts'
import { machineObstacle } from '../../lab/machine/packages.ts'
import { chapters, show } from './packets/run.ts'

/** Shows with packets what goes wrong while Calico is out of step, and that it goes right after `sync`. */

const say = (text: string): void => void process.stderr.write(`packets: ${text}\n`)

const packets = async ({ only }: { only?: string[] }): Promise<number> => {
  const unknown = only?.filter((name) => !chapters.some((chapter) => chapter.name === name)) ?? []
  if (unknown.length > 0) {
    say(`There is no ${unknown.join(', ')}; there are ${chapters.map(({ name }) => name).join(', ')}.`)
    return 64
  }
  const reason = machineObstacle()
  if (reason !== undefined) {
    say(`SKIPPED, nothing was shown. ${reason}`)
    return 2
  }
  for (const program of ['kubelab', 'felix', 'kube-proxy'] as const) await buildBinary(program)
  return (await show(only)) ? 0 : 1
}

const program = new Command('packets')
  .description('Shows with packets that each claim holds; writes out/packets/results.json and docs/packets.md.')
  .option(
    '--only <chapter...>',
    `some of ${chapters.map(({ name }) => name).join(', ')}; docs/packets.md stays as it is`,
  )
  .action(async (options: { only?: string[] }) => {
    process.exitCode = await packets(options)
  })

try {
  await program.parseAsync()
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exitCode = 2
}
