import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kubeProxies } from '../../../lab/binaries.ts'
import type { ChapterResult } from '../chapters/chapter.ts'
import { heldOnPage } from '../chapters/page.ts'
import { versions as programs } from '../proof/results.ts'
import type { Claim } from './claim.ts'

interface Grounds {
  claim: string
  /** Chapters of this program that show it, by title. */
  packets?: readonly string[]
  /** The chapter of the proof on rules that shows it, by title. */
  rules?: string
  /** What of it was run, where not all. */
  shown?: string
  /** What it was run on besides Felix. */
  beside?: string
  /** What it was run on in place of Felix. */
  on?: string
  /** A configuration in test/vectors/felix.json: the recorded answers that agree with the claim. */
  computed?: string
  /** The answer recorded there: Felix's ranges, or that it does not start. */
  answer?: readonly string[] | 'error'
  /** A file of projectcalico/calico, unless another repository is named, and the versions in which it was read. */
  read: string
}

const ignoredField = 'The field that Felix ignores, and the annotation it reads'

export const all: readonly Grounds[] = [
  {
    claim:
      'Traffic to a port outside Felix’s range is judged as traffic to the node, to a port inside it as forwarded.',
    packets: ['The range is too small', 'The range is too wide'],
    read: 'v3.32.1 `felix/rules/static.go`',
  },
  {
    claim:
      'What pre-DNAT policy accepts is not judged again, whatever Felix’s range is. Other policy of the node judges a node port outside the range as it is, one inside by the pod’s port, and only where it counts for forwarded traffic.',
    packets: ['Node ports that policy lets in by name'],
    read: 'v3.24.6, v3.28.4 and v3.32.1 `felix/rules/static.go` (`acceptAlreadyAccepted`, `filterInputChain`), `felix/rules/endpoints.go` (“Allow forwarded traffic by default”)',
  },
  {
    claim: 'Felix ignores `spec.kubeNodePortRanges`.',
    packets: ['The field that Felix ignores'],
    rules: ignoredField,
    computed: 'ports/spec/one-custom-range',
    answer: ['30000:32767'],
    read: 'v3.20, v3.24, v3.32.1, branch of v3.33 `libcalico-go/lib/backend/syncersv1/updateprocessors/felixconfigprocessor.go`',
  },
  {
    claim: 'The annotation counts, and beats the field.',
    packets: ['The field that Felix ignores'],
    rules: ignoredField,
    shown: 'counts',
    computed: 'ports/both/annotation-wins',
    answer: ['30000:39999'],
    read: 'v3.32.1 `libcalico-go/lib/backend/syncersv1/updateprocessors/configurationprocessor.go`',
  },
  {
    claim: '`FelixConfiguration/node.NAME` beats `default`, for the value and for “none”.',
    rules: 'A staged change of the range, by the command line',
    shown: 'for the value',
    computed: 'ports/layer/node-none',
    answer: [],
    read: 'v3.32.1 `felix/config/config_params.go`',
  },
  {
    claim: 'The environment beats every object.',
    computed: 'ports/env/beats-node-annotation',
    answer: ['30000:31111'],
    read: 'v3.32.1 `felix/config/config_params.go`',
  },
  {
    claim: 'From Calico 3.32 objects with a `nodeSelector` count.',
    computed: 'ports/selector/match-annotation',
    answer: ['30000:34444'],
    read: 'v3.32.1 `felix/calc/config_batcher.go`',
  },
  {
    claim: 'From Calico 3.28 the JSON copy of the metadata beats the annotation itself.',
    rules: 'Through Calico’s own API server',
    computed: 'ports/v1meta/json-beats-direct',
    answer: ['30000:39999'],
    read: 'v3.28 `libcalico-go/lib/backend/k8s/resources/resources.go`',
  },
  {
    claim: 'A mask of one bit keeps Felix from starting.',
    computed: 'mask/annotation/one-bit',
    answer: 'error',
    read: 'v3.32.1 `felix/config/param_types.go`',
  },
  {
    claim: 'Endpoints beyond the mask’s room get no mark, and their policy is decided before load balancing.',
    packets: ['A mark mask without room'],
    read: 'v3.28.4 and v3.32.1 `felix/rules/epmark.go`; v3.28.4 `felix/rules/endpoints.go`, `felix/rules/static.go`',
  },
  {
    claim: 'Felix reserves 4 bits up to Calico 3.29 and 5 from 3.30: the room of a mask.',
    packets: ['A mark mask without room'],
    shown: '4',
    read: 'v3.29.7 and v3.32.1 `felix/dataplane/driver.go`; all rooms in `test/vectors/endpoint-capacity.jsonl` are of Felix’s own allocator',
  },
  {
    claim: 'Felix from 3.23 notices by itself that IPVS begins or ends; up to 3.22 only at its start.',
    packets: ['The link that is left behind'],
    rules: 'IPVS is switched on and off: a Felix that notices it needs no restart by the tool',
    shown: 'notices',
    read: 'v3.21.6, v3.22.2 and v3.23.0 `felix/ifacemonitor/iface_monitor.go`',
  },
  {
    claim: 'kube-proxy that leaves IPVS for iptables leaves `kube-ipvs0`, and Felix stays in IPVS mode.',
    packets: ['The link that is left behind'],
    beside: `kube-proxy ${programs.kubernetes}, `,
    read: 'kubernetes/kubernetes v1.30.14, v1.33.5 and v1.36.3 `cmd/kube-proxy/app/server_linux.go` (`platformCleanup`)',
  },
  {
    claim:
      'No new connection to a node port that works fails, and no open stream breaks, while Felix restarts for a change of its range.',
    packets: ['The range is too small', 'Connections while the range changes, beside what is done by hand'],
    read: '',
  },
  {
    claim: 'kube-proxy up to 1.25 falls back to iptables where there is no ip_vs; 1.26 and later end.',
    packets: ['kube-proxy’s words'],
    shown: 'up to 1.25, and from 1.30',
    on: `kube-proxy ${Object.keys(kubeProxies).join(', ')}`,
    read: 'kubernetes/kubernetes#111806',
  },
  {
    claim: 'Operators of Calico 3.19 to 3.24 crash on any value of `spec.kubeNodePortRanges`.',
    read: 'tigera/operator v1.27.16, v1.28.7 `pkg/controller/migration/convert/numorstring/numorstring.go`',
  },
]

interface Vector {
  name: string
  calico: string
  sameIn?: string[]
  expected: { outcome: string; values?: { KubeNodePortRanges?: string[] } }
}

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../vectors/felix.json'), 'utf8'),
) as readonly Vector[]

const vectorOf = (name: string): Vector => {
  const vector = vectors.find((it) => it.name === name)
  if (!vector) throw new Error(`There is no vector ${name}.`)
  return vector
}

/** What Calico's own code answered: Felix's ranges, or that it does not start. */
export const answerOf = (name: string): readonly string[] | 'error' => {
  const { outcome, values } = vectorOf(name).expected
  return outcome === 'error' ? 'error' : (values?.KubeNodePortRanges ?? [])
}

/** Released versions whose own code gave the recorded answer, oldest first. */
export const versionsOf = (name: string): string[] => {
  const vector = vectorOf(name)
  return [vector.calico, ...(vector.sameIn ?? [])].filter((it) => it.startsWith('v')).toSorted()
}

/** A row for each claim. `rules`: the page with the proof on rules. */
export const grounds = (told: readonly ChapterResult<Claim>[], rules: string): string[][] =>
  all.map((it) => [
    it.claim,
    run(it, told, rules),
    it.computed === undefined ? '' : versionsOf(it.computed).join(', '),
    it.read,
  ])

/** What it was run on and where it held, as the chapters themselves say. */
function run(
  { packets = [], rules, shown, beside = '', on = `Felix ${programs.felix}` }: Grounds,
  told: readonly ChapterResult<Claim>[],
  page: string,
): string {
  const held = [
    ...packets.map((title) => told.find((it) => it.title === title)?.claims.every(({ holds }) => holds)),
    ...(rules === undefined ? [] : [heldOnPage(page, rules)]),
  ]
  if (held.length === 0 || held.includes(undefined)) return 'not run'
  if (held.includes(false)) return 'run, and did not hold'
  const where = [...(packets.length > 0 ? ['packets'] : []), ...(rules === undefined ? [] : ['rules'])].join(' and ')
  return `${beside}${on}, ${where}${shown === undefined ? '' : `: ${shown}`}`
}
