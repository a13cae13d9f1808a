import { buildBinary } from '../../lab/binaries.ts'
import { runProgram } from './chapters/program.ts'
import { inPrivateNetwork, obstacle } from './felix-nodes/private-network.ts'
import { chapters, prove } from './proof/run.ts'

/** Drives the product against Calico's own Felix and judges it by the packet filters of the nodes. */
await runProgram({
  name: 'proof',
  description: 'Shows on Calico’s own Felix that each claim holds; writes out/proof/results.json and docs/proof.md.',
  chapters,
  obstacle,
  run: async (only) => {
    for (const program of ['kubelab', 'felix', 'calico-apiserver'] as const) await buildBinary(program)
    const status = await inPrivateNetwork(import.meta.filename, process.argv.slice(2))
    return status ?? ((await prove(only)) ? 0 : 1)
  },
})
