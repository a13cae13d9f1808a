import { paceFlags, runTool, typed } from '../proof/tool.ts'
import { type Chapter, count, isTimeout, list } from './claim.ts'
import { builtIn, hostPort as port, services as all, wide } from './ports.ts'
import { outcomes, tryOnce, untilOutcomes } from './probe.ts'
import {
  hasSucceeded,
  isPod,
  longEnough,
  onlyWanted,
  rangeFlag,
  setScene,
  startHostProcesses,
  configuredRanges,
} from './scene.ts'
import { setRange } from './workload.ts'

const isOpen = (outcome: string): boolean => outcome === 'host-process'
const command = ['sync', '--yes', ...rangeFlag]

/** A process of the node on a port that Felix takes for a node port is reached past the node's policy. */
export const tooWide: Chapter = {
  name: 'too-wide',
  title: 'The range is too wide',
  continues: 'allowed-ports',
  byAnnotation: true,
  prove: async (ground, claim) => {
    const scene = await setScene(ground)
    // Each end of the wanted range: one that is too small now would be seen as well.
    const services = scene.targets(all.inside, all.outside)
    const { targets, end } = await startHostProcesses(ground)
    const right = await untilOutcomes(ground, targets, isTimeout)
    await setRange(ground, { annotation: wide })
    const before = await untilOutcomes(ground, targets, isOpen)
    const { code } = await runTool(ground, ...command, ...paceFlags(ground.pace))
    // At once: the tool says that it is done when it is.
    const attempts = await tryOnce(ground, [...targets, ...services])
    // The process is closed, not the way to it.
    const [after, reached] = [outcomes(targets, attempts), outcomes(services, attempts)]
    // Overrides have just been removed: with what `default` says it stays closed, or opens again.
    const later = await untilOutcomes(ground, targets, isOpen, longEnough / 1000)
    const configured = await configuredRanges(ground)
    claim({
      claim: `A process of the node on port ${port} is closed to the outside by the node's policy. With the range ${wide} in Felix it is open on every node, past that policy; after \`${typed('sync')}\` it is closed again, and stays so, and node ports of Services answer in all of the API server's range.`,
      command: typed(...command),
      before: `${list(right)} with ${builtIn}; ${list(before)} with ${wide}`,
      after: `${list(after)}, and a minute later ${list(later)}; node ports of Services: ${list(reached)}; ranges set: ${configured}; exit status ${code}`,
      holds:
        right.every(isTimeout) &&
        before.every(isOpen) &&
        after.every(isTimeout) &&
        later.every(isTimeout) &&
        reached.every(isPod) &&
        configured === onlyWanted &&
        code === 0,
      figures: { before: count(before, isTimeout), after: count(later, isTimeout) },
      byAnnotation: true,
      succeeded: await hasSucceeded(ground, code),
    })
    end()
  },
}
