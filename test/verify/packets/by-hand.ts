import { until } from '../../until.ts'
import { type Way, ways } from '../chapters/ways.ts'
import { disturbance } from '../proof/disturbance.ts'
import { type Chapter, type Claim, type Count, count, isTimeout, list } from './claim.ts'
import type { Ground } from './ground.ts'
import { range, services } from './ports.ts'
import { outcomes, tryOnce, untilOutcomes, watchConnections } from './probe.ts'
import {
  hasSucceeded,
  isPod,
  onlyWanted,
  type Scene,
  setScene,
  startHostProcesses,
  configuredRanges,
  unset,
} from './scene.ts'
import { breakStreams, brokenAt, holdStreams, isOnlyFirst, patience, pause } from './streams.ts'

type Came = {
  name: string
  figures: Required<NonNullable<Claim['figures']>>
  which: string
  late: number
  /** Connections that failed meanwhile, by node. */
  lost: Count[]
  /** Open streams that broke, by node. */
  broken: Count[]
  /** Which broke, and milliseconds of the slowest answer on one. */
  streams: { which: string; slowest: number }
  atOnce: number
  starts: number[]
  /** What came of calls to processes of the nodes outside of the wanted range, at the end. */
  shut: string[]
  /** The ranges in FelixConfigurations at the end. */
  configured: string
  /** The tool's exit status. */
  code?: number | null
}

/** Connections to a node port that works and to one that does not yet, before, during and after the change, for each way of making it. */
export const byHand: Chapter = {
  name: 'by-hand',
  title: 'Connections while the range changes, beside what is done by hand',
  continues: 'ignored-field',
  byAnnotation: true,
  prove: async (ground, claim, measured) => {
    const scene = await setScene(ground)
    const processes = await startHostProcesses(ground)
    const shutBefore = await untilOutcomes(ground, processes.targets, isTimeout)
    const control = await breakStreams(ground, scene.targets(services.insideLocal).filter(isTcp))
    const changeBy = (way: Way) => changeIn(ground, scene, processes.targets, way)
    const bySpec = await changeBy(ways.spec)
    const byAnnotation = await changeBy(ways.annotation)
    const ours = await changeBy(ways.tool)
    processes.end()
    const of = ({ wrong, tried }: { wrong: number; tried: number }) => `${wrong} of ${tried}`
    measured({
      title: `One change of the range on ${ground.nodes.length} nodes`,
      head: [
        '',
        'failing before',
        'lost meanwhile, of those that worked, by node',
        'open streams broken, by node',
        'failing after',
        'restarts of Felix',
        'nodes without Felix at once',
      ],
      rows: [bySpec, byAnnotation, ours].map(({ name, figures, lost, broken, starts, atOnce }) => [
        name,
        of(figures.before),
        lost.map(of).join(', '),
        broken.map(of).join(', '),
        of(figures.after),
        starts.join(', '),
        String(atOnce),
      ]),
    })
    const said = ({ name, figures, which, late, starts, atOnce, code }: Came) => ({
      command: name,
      before: `${of(figures.before)} fail`,
      after: `${of(figures.after)} fail; meanwhile ${of(figures.during)} lost${which}, ${late} answered after more than a second; ${starts.join(', ')} restarts of Felix, at most ${atOnce} without it at once${code === undefined ? '' : `; exit status ${code}`}`,
      figures,
    })
    const fails = ({ wrong, tried }: { wrong: number; tried: number }) => wrong === tried
    claim({
      claim: 'The documented field and a restart of every Felix leave the node port closed.',
      ...said(bySpec),
      holds: fails(bySpec.figures.before) && fails(bySpec.figures.after) && bySpec.starts.every((it) => it > 0),
    })
    claim({
      claim: 'The annotation on `default` opens it, and all nodes are without Felix at once.',
      ...said(byAnnotation),
      holds:
        fails(byAnnotation.figures.before) &&
        byAnnotation.figures.after.wrong === 0 &&
        byAnnotation.atOnce === ground.nodes.length,
    })
    claim({
      claim:
        'New connections to a node port that works fail in none of these ways, though Felix restarts on every node. The ways differ in what opens, and in how many nodes are without Felix at once.',
      command: 'each of the three',
      before: '',
      after: [bySpec, byAnnotation, ours].map(({ figures }) => `${of(figures.during)} fail`).join(', '),
      holds:
        [bySpec, byAnnotation, ours].every(
          ({ figures, starts }) => figures.during.wrong === 0 && starts.every((it) => it > 0),
        ) &&
        bySpec.figures.after.wrong > byAnnotation.figures.after.wrong &&
        byAnnotation.atOnce > ours.atOnce,
    })
    claim({
      claim:
        'A stream that is open through a node port that works, and in use, is broken in none of these ways, though Felix restarts on the node that it goes through. One through a node that is unplugged for longer than it is waited for is seen to break.',
      command: 'each of the three',
      before: `${ours.figures.streams.tried} streams, each asked ${pause / 1000} s after each answer; of others, with the first node unplugged for more than ${patience / 1000} s, ${control.map(of).join(' and ')} broken, by node`,
      after: [bySpec, byAnnotation, ours]
        .map(
          ({ figures, streams: { which, slowest } }) =>
            `${of(figures.streams)} broken${which}, the slowest answer after ${(slowest / 1000).toFixed(1)} s`,
        )
        .join('; '),
      holds:
        isOnlyFirst(control) &&
        [bySpec, byAnnotation, ours].every(
          ({ figures, starts }) => figures.streams.wrong === 0 && starts.every((it) => it > 0),
        ),
    })
    claim({
      claim:
        "The tool opens it, with one node at a time without Felix, and no new connection to a node port that worked fails. A process of the node on a port outside of the API server's range stays closed, and the range is set on `default` alone.",
      ...said(ours),
      after: `${said(ours).after}; the processes: ${list(shutBefore)} before, ${list(ours.shut)} after; ranges set: ${ours.configured}`,
      holds:
        fails(ours.figures.before) &&
        ours.figures.after.wrong === 0 &&
        ours.figures.during.wrong === 0 &&
        ours.code === 0 &&
        ours.starts.every((it) => it === 1) &&
        ours.atOnce === 1 &&
        [...shutBefore, ...ours.shut].every(isTimeout) &&
        ours.configured === onlyWanted,
      byAnnotation: true,
      succeeded: await hasSucceeded(ground, ours.code),
    })
  },
}

const isTcp = (target: string): boolean => target.startsWith('tcp/')

async function changeIn(
  ground: Ground,
  { targets }: Scene,
  hosts: readonly string[],
  { name, change }: Way,
): Promise<Came> {
  const [working, broken] = [targets(services.inside, services.insideLocal), targets(services.outside)]
  await unset(ground)
  await untilOutcomes(ground, broken, isTimeout)
  await until('Felix on every node', () => ground.nodes.every((node) => node.isReady()), 300)
  const before = count(outcomes(broken, await tryOnce(ground, broken)), isPod)
  const through = working.filter(isTcp)
  // Two each: a Service forwards them to its pods in turn.
  const open = [...through, ...through]
  const held = await holdStreams(ground, open)
  const since = Date.now()
  const watched = watchConnections(ground, working)
  const ran = await change(ground, range)
  const [{ tried, failed, which, late }, { broken: breaks, ...streams }] = await Promise.all([
    watched.end(),
    held.end(),
  ])
  const attempts = await tryOnce(ground, [...broken, ...hosts])
  const after = count(outcomes(broken, attempts), isPod)
  const figures = {
    before,
    during: { wrong: failed, tried },
    streams: { wrong: breaks.filter(Boolean).length, tried: breaks.length },
    after,
  }
  const [tries, losses] = [
    watched.attempts.map(({ target }) => target),
    watched.attempts.map((it) => it.failed !== undefined),
  ]
  const lost = ground.nodes.map(({ address }) => brokenAt(address, tries, losses))
  const byNode = ground.nodes.map(({ address }) => brokenAt(address, open, breaks))
  const { starts, atOnce } = disturbance(ground.nodes, since)
  return {
    name,
    figures,
    which,
    late,
    lost,
    broken: byNode,
    streams,
    starts,
    atOnce,
    shut: outcomes(hosts, attempts),
    configured: await configuredRanges(ground),
    ...(ran && { code: ran.code }),
  }
}
