import { setTimeout as sleep } from 'node:timers/promises'
import { type Chapter, count, isTimeout, list } from './claim.ts'
import { disturbance } from '../proof/disturbance.ts'
import { rangeAnnotation } from '../proof/ground.ts'
import { range, services } from './ports.ts'
import { outcomes, tryOnce, untilOutcomes } from './probe.ts'
import { isPod, longEnough, setScene } from './scene.ts'
import { setRange } from './workload.ts'

const patch = (body: object) =>
  `kubectl patch felixconfigurations.crd.projectcalico.org default --type=merge -p '${JSON.stringify(body)}'`

/** What everybody does, and what counts. */
export const ignoredField: Chapter = {
  name: 'ignored-field',
  title: 'The field that Felix ignores',
  continues: 'too-wide',
  prove: async (ground, claim, _measured) => {
    const { targets } = await setScene(ground)
    const outside = targets(services.outside)
    const before = outcomes(outside, await tryOnce(ground, outside))
    const since = Date.now()
    await setRange(ground, { spec: range })
    await sleep(longEnough)
    const { starts } = disturbance(ground.nodes, since)
    const bySpec = outcomes(outside, await tryOnce(ground, outside))
    claim({
      claim: '`spec.kubeNodePortRanges`, which everybody sets, changes nothing for packets.',
      command: patch({ spec: { kubeNodePortRanges: [range] } }),
      before: list(before),
      after: `${list(bySpec)}; ${starts.join(', ')} restarts of Felix`,
      holds: before.every(isTimeout) && bySpec.every(isTimeout) && starts.every((it) => it === 0),
      figures: { before: count(before, isPod), after: count(bySpec, isPod) },
    })
    await setRange(ground, { spec: range, annotation: range })
    const byAnnotation = await untilOutcomes(ground, outside, isPod)
    claim({
      claim: 'The annotation opens the node port.',
      command: patch({ metadata: { annotations: { [rangeAnnotation]: range } } }),
      before: list(bySpec),
      after: list(byAnnotation),
      holds: byAnnotation.every(isPod),
      figures: { before: count(bySpec, isPod), after: count(byAnnotation, isPod) },
    })
  },
}
