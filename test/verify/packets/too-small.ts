import { setTimeout as sleep } from 'node:timers/promises'
import { disturbance } from '../proof/disturbance.ts'
import { paceFlags, runTool, typed } from '../proof/tool.ts'
import { type Chapter, count, isTimeout, list } from './claim.ts'
import { builtIn, hostPort, services } from './ports.ts'
import { outcomes, tryOnce, watchConnections } from './probe.ts'
import { hasSucceeded, isPod, onlyWanted, rangeFlag, setScene, startHostProcesses, configuredRanges } from './scene.ts'

const command = ['sync', '--yes', ...rangeFlag]

/** A node port that Felix does not know is one is judged as traffic to the node. */
export const tooSmall: Chapter = {
  name: 'too-small',
  title: 'The range is too small',
  byAnnotation: true,
  prove: async (ground, claim) => {
    const { targets } = await setScene(ground)
    const [outside, inside] = [
      targets(services.outside, services.outsideLocal),
      targets(services.inside, services.insideLocal),
    ]
    const processes = await startHostProcesses(ground)
    const all = [...outside, ...processes.targets]
    const attempts = await tryOnce(ground, all)
    const [before, shutBefore] = [outcomes(outside, attempts), outcomes(processes.targets, attempts)]
    const calm = watchConnections(ground, inside)
    const shut = watchConnections(ground, outside.slice(0, 2))
    await sleep(14_000)
    const [{ tried: triedBefore, failed: failedBefore, seconds }, seen] = await Promise.all([calm.end(), shut.end()])
    const watched = watchConnections(ground, inside)
    const since = Date.now()
    const { code, err } = await runTool(ground, ...command, ...paceFlags(ground.pace))
    // At once: the tool says that it is done when it is.
    const attemptsAfter = await tryOnce(ground, all)
    const [after, shutAfter] = [outcomes(outside, attemptsAfter), outcomes(processes.targets, attemptsAfter)]
    const configured = await configuredRanges(ground)
    const { tried, failed, which, late } = await watched.end()
    const { starts } = disturbance(ground.nodes, since)
    claim({
      claim: `A Service on a node port outside of Felix's range (${services.outside.nodePort}; Felix has ${builtIn}) cannot be reached: the node's policy, which lets nothing in, decides. After \`${typed('sync')}\` it answers on every node, TCP and UDP, for both traffic policies. A process of the node on a port outside of the API server's range (${hostPort}) stays closed, and the range is set on \`default\` alone.`,
      command: typed(...command),
      before: `${list(before)}; the process: ${list(shutBefore)}`,
      after: `${list(after)}; the process: ${list(shutAfter)}; ranges set: ${configured}; exit status ${code}`,
      holds:
        [...before, ...shutBefore, ...shutAfter].every(isTimeout) &&
        after.every(isPod) &&
        configured === onlyWanted &&
        code === 0,
      figures: {
        before: count(before, isPod),
        during: { wrong: failed, tried },
        after: count(after, isPod),
      },
      byAnnotation: true,
      succeeded: await hasSucceeded(ground, code),
    })
    if (code !== 0) process.stderr.write(err)
    claim({
      claim:
        'While the range changes, node by node, no new connection to a node port that already worked fails, and none is answered after more than a second.',
      command: typed(...command),
      before: `${failedBefore} of ${triedBefore} failed in the ${seconds} s before, when nothing changed, and ${seen.failed} of ${seen.tried} to a node port outside`,
      after: `${failed} of ${tried} failed${which}, ${late} were answered after more than a second; ${starts.join(', ')} restarts of Felix; exit status ${code}`,
      holds:
        failedBefore === 0 &&
        seen.failed === seen.tried &&
        failed === 0 &&
        late === 0 &&
        code === 0 &&
        after.every(isPod) &&
        starts.every((it) => it === 1),
    })
    processes.end()
  },
}
