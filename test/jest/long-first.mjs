import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Sequencer from '@jest/test-sequencer'
import { missing, thoseThatNeedPrograms } from './programs.mjs'

const root = join(import.meta.dirname, '../..')

/** Files of fifteen seconds and more, the longest first; at the beginning one that mostly waits runs beside two that compute. */
const long = [
  'test/fleet/kills.test.ts',
  'test/crash/crash.test.ts',
  'test/scale/bounded.test.ts',
  'test/flow/two-at-once.test.ts',
  'test/flow/flow.test.ts',
  'test/rollout/restarts.test.ts',
  'test/unwell/commands.test.ts',
  'test/unwell/functions.test.ts',
  'test/rollout/interrupted.test.ts',
  'test/histories/histories.test.ts',
  'test/truth/findings-real.test.ts',
  'test/crash/brake.test.ts',
  'test/cli/clusters.test.ts',
  'test/fleet/storm.test.ts',
  'test/forgeries/forgeries.test.ts',
  'test/flow/guards.test.ts',
  'test/rollout/failing-canary.test.ts',
  'test/truth/golden.test.ts',
  'test/fleet/swept.test.ts',
  'test/scale/five-hundred.test.ts',
  'test/truth/rbac.test.ts',
  'test/contract/contract.test.ts',
  'test/scale/hostile.test.ts',
  'test/flow/pasted.test.ts',
  'test/cli/kubeconfig-eks.test.ts',
  'test/rollout/many-nodes.test.ts',
  'test/workflows/journal.test.ts',
  'test/infra/guard-in-a-cluster.test.ts',
  'test/rollout/default-put-back.test.ts',
  'test/fleet/spokes.test.ts',
  'test/flow/brake.test.ts',
  'test/truth/calico-api.test.ts',
  'test/fleet/notices.test.ts',
  'test/fleet/read-only.test.ts',
  'test/infra/app.test.ts',
  'test/lab/processes.test.ts',
  'test/infra/emulator.test.ts',
  'test/lab/control-plane.test.ts',
  'test/fleet/costs.test.ts',
  'test/histories/model.test.ts',
  'test/lab/fixtures.test.ts',
  'test/flow/made-again.test.ts',
  'test/cases/cases.test.ts',
  'test/clients/organization.test.ts',
  'test/commands/findings.test.ts',
  'test/cli/doctor.test.ts',
  'test/report/validators.test.ts',
  'test/cli/doctor-ways.test.ts',
  'test/commands/eks-command-line.test.ts',
  'test/fleet/seen.test.ts',
  'test/fleet/organization.test.ts',
  'test/rollout/two-at-once.test.ts',
  'test/workflows/rollout-properties.test.ts',
].map((file) => join(root, file))

/** A long file that begins last keeps one worker busy alone at the end. The rest: as jest remembers their times, or by their size. While the lab's programs are missing, tests without them come first. */
export default class LongFirst extends Sequencer {
  async sort(tests) {
    const gone = long.find((file) => !existsSync(file))
    if (gone) throw new Error(`${gone} is not there: correct the list in test/jest/long-first.mjs.`)
    const sorted = await super.sort(tests)
    const place = ({ path }) => (long.includes(path) ? long.indexOf(path) : long.length)
    const ordered = sorted.toSorted((a, b) => place(a) - place(b))
    if (missing().length === 0) return ordered
    const needing = new Set(thoseThatNeedPrograms(tests))
    process.env.PROGRAMS_NEEDED_BY = JSON.stringify(Array.from(needing, ({ path }) => path))
    return [...ordered.filter((it) => !needing.has(it)), ...ordered.filter((it) => needing.has(it))]
  }
}
