import { buildBinary, kubeProxies } from '../../lab/binaries.ts'
import { machineObstacle, machineRoot } from '../../lab/machine/packages.ts'
import { runProgram } from './chapters/program.ts'
import { chapters, show, showSabotage, tellAgain } from './packets/run.ts'

/** Shows with packets what goes wrong while Calico is out of step, and that it goes right after `sync`. */
await runProgram({
  name: 'packets',
  description:
    'Shows with packets that each claim holds; writes out/packets/results.json, and once there are results of all chapters docs/packets.json, a part of docs/proof.md and a picture.',
  chapters,
  obstacle: ({ pages }) => (pages === true ? undefined : machineObstacle()),
  flags: {
    '--sabotage':
      'with a copy of the tool whose annotation has a name that Felix does not know: holds where packets bring down the claims that rest on it',
    '--pages':
      'writes what is in docs of the results in out/packets, without a run; exit status 1 where a chapter is missing or broke off, or the code is another',
  },
  run: async (only, { sabotage, pages }) => {
    if (pages === true) {
      if (tellAgain()) return 0
      process.stderr.write(
        'packets: out/packets has no results of all chapters, to their ends and by this code: run npm run packets first.\n',
      )
      return 1
    }
    await machineRoot()
    for (const program of ['kubelab', 'felix', 'kube-proxy'] as const) await buildBinary(program)
    if (sabotage === true) return (await showSabotage(only)) ? 0 : 1
    if (only === undefined || only.includes('proxy-words'))
      for (const program of Object.values(kubeProxies))
        await buildBinary(program).catch((error: unknown) => process.stderr.write(`packets: ${String(error)}\n`))
    return (await show(only)) ? 0 : 1
  },
})
