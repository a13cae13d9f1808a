import { Command } from 'commander'
import { buildBinary } from '../../lab/binaries.ts'
import { inPrivateNetwork, obstacle } from './felix-nodes/private-network.ts'
import { chapters, prove } from './proof/run.ts'

/** Drives the product against Calico's own Felix and judges it by the packet filters of the nodes. */

const say = (text: string): void => void process.stderr.write(`proof: ${text}\n`)

const proof = async ({ only }: { only?: string[] }): Promise<number> => {
  const unknown = only?.filter((name) => !chapters.some((chapter) => chapter.name === name)) ?? []
  if (unknown.length > 0) {
    say(`There is no ${unknown.join(', ')}; there are ${chapters.map(({ name }) => name).join(', ')}.`)
    return 64
  }
  const reason = obstacle()
  if (reason !== undefined) {
    say(`SKIPPED, nothing was proven. ${reason}`)
    return 2
  }
  for (const program of ['kubelab', 'felix', 'calico-apiserver'] as const) await buildBinary(program)
  const status = await inPrivateNetwork(import.meta.filename, process.argv.slice(2))
  return status ?? ((await prove(only)) ? 0 : 1)
}

const program = new Command('proof')
  .description('Shows on Calico’s own Felix that each claim holds; writes out/proof/results.json and docs/proof.md.')
  .option('--only <chapter...>', `some of ${chapters.map(({ name }) => name).join(', ')}; docs/proof.md stays as it is`)
  .action(async (options: { only?: string[] }) => {
    process.exitCode = await proof(options)
  })

try {
  await program.parseAsync()
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exitCode = 2
}
