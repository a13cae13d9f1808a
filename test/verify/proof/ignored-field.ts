import { setTimeout as sleep } from 'node:timers/promises'
import type { Chapter } from './claim.ts'
import { disturbance } from './disturbance.ts'
import { builtIn, felixConfigurations, type Ground, mergePatch, rangeAnnotation } from './ground.ts'
import { rangeFlag, runTool, typed } from './tool.ts'

const range = '20000:32767'
/** Felix ends two seconds after it has seen a change that it must restart for. */
const longEnough = 6_000

const patch = ({ cluster }: Ground, body: object) =>
  cluster.request('PATCH', `${felixConfigurations}/default`, body, mergePatch)
const kubectl = (body: object) =>
  `kubectl patch felixconfigurations.crd.projectcalico.org default --type=merge -p '${JSON.stringify(body)}'`

const verdictOf = async (ground: Ground) => {
  const { code, out } = await runTool(ground, 'check', ...rangeFlag(range), '-o', 'json')
  const { findings } = JSON.parse(out) as { findings: { code: string }[] }
  return { code, codes: [...new Set(findings.map((it) => it.code))].toSorted() }
}

/** The obvious field does nothing; the annotation does. */
export const ignoredField: Chapter = {
  name: 'ignored-field',
  title: 'The field that Felix ignores, and the annotation it reads',
  ground: { nodes: 3 },
  prove: async (ground, claim) => {
    const { nodes, ports, untilPorts } = ground
    const spec = { spec: { kubeNodePortRanges: [range] } }
    let since = Date.now()
    await patch(ground, spec)
    await sleep(longEnough)
    let seen = await ports()
    let { starts } = disturbance(nodes, since)
    claim({
      claim: 'Felix ignores `spec.kubeNodePortRanges`: neither its rules change nor does it restart.',
      command: kubectl(spec),
      seen: `rules for ${seen.join(', ')}; ${starts.join(', ')} starts of Felix in ${longEnough / 1000} s`,
      holds: seen.every((it) => it === builtIn) && starts.every((it) => it === 0),
    })
    const before = await verdictOf(ground)
    claim({
      claim: 'The tool reports it: out of step, `RANGE_SPEC_IGNORED`.',
      command: typed('check', ...rangeFlag(range)),
      seen: `exit status ${before.code}, ${before.codes.join(', ')}; rules for ${seen.join(', ')}`,
      holds: before.code === 1 && before.codes.includes('RANGE_SPEC_IGNORED'),
    })
    since = Date.now()
    const annotation = { metadata: { annotations: { [rangeAnnotation]: range } } }
    await patch(ground, annotation)
    await untilPorts(range)
    await sleep(longEnough)
    seen = await ports()
    ;({ starts } = disturbance(nodes, since))
    claim({
      claim:
        'The annotation on the same object has an effect: each Felix restarts once, and its rules have the new range.',
      command: kubectl(annotation),
      seen: `rules for ${seen.join(', ')}; ${starts.join(', ')} starts of Felix`,
      holds: seen.every((it) => it === range) && starts.every((it) => it === 1),
    })
    const after = await verdictOf(ground)
    claim({
      claim: 'The tool reports: in step.',
      command: typed('check', ...rangeFlag(range)),
      seen: `exit status ${after.code}${after.codes.length > 0 ? `, ${after.codes.join(', ')}` : ', no finding'}`,
      holds: after.code === 0,
    })
  },
}
