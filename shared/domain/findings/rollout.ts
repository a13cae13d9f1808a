import type { ClusterFacts } from '../assess/facts.ts'
import type { ClusterCheck } from '../findings.ts'
import { decidingLayer, isReachedByDefault } from './range-layers.ts'
import { parseEvidence } from '../rollout/halt-evidence.ts'
import { haltDetails } from '../rollout/halt-finding.ts'
import { parsePortList, sameRanges } from '../ports.ts'
import { valueOf } from '../read.ts'
import { lease, ours } from '../rollout/annotations.ts'

const rolloutOf = ({ state }: ClusterFacts) => {
  const annotations = valueOf(state.rollout)?.annotations ?? {}
  return (key: string): string | undefined => annotations[ours + key]
}

const leaseObject = `Lease/${lease.namespace}/${lease.name}`

export const rolloutHalted: ClusterCheck = (cluster) => {
  const at = rolloutOf(cluster)
  if (at('state') !== 'halted') return []
  const details = haltDetails(parseEvidence(at('evidence')), {
    pods: valueOf(cluster.state.pods) ?? [],
    object: leaseObject,
    field: `metadata.annotations[${ours}evidence]`,
  })
  return [
    {
      code: 'ROLLOUT_HALTED',
      severity: 'warning',
      subject: leaseObject,
      message: `A rollout halted: ${at('reason') ?? 'the reason was not recorded'}. Nothing more is touched until somebody decides.${details.text}`,
      evidence: [
        { object: leaseObject, field: `metadata.annotations[${ours}state]`, value: 'halted' },
        ...(at('reason') === undefined
          ? []
          : [{ object: leaseObject, field: `metadata.annotations[${ours}reason]`, value: at('reason') ?? '' }]),
        ...details.evidence,
      ],
      remedy:
        'calico-ipvs-sync rollout status; mend the node, then calico-ipvs-sync rollout resume, or calico-ipvs-sync rollout abort',
    },
  ]
}

/** Our value was taken back: a second write the same day would be a fight. */
export const flapping: ClusterCheck = (cluster) => {
  const at = rolloutOf(cluster)
  const { desired, state, nodes } = cluster
  const [target, finished] = [at('target'), at('finished-at')]
  if (at('state') !== 'done' || target === undefined || finished === undefined || !desired) return []
  const wrote = parsePortList(target)
  const sameDay = finished.slice(0, 10) === state.observedAt.slice(0, 10)
  if (!sameDay || !wrote.ok || !sameRanges(wrote.ranges, desired)) return []
  const reverted = nodes.find((it) => it.rangeDiffers && isReachedByDefault(it, cluster))
  if (!reverted) return []
  const layer = decidingLayer(reverted)
  const now = layer?.raw ?? 'nothing'
  return [
    {
      code: 'FLAPPING',
      severity: 'warning',
      subject: 'FelixConfiguration/default',
      message: `The range ${target} was written today and taken back since: FelixConfiguration/default now says ${now}. It is not written a second time today.`,
      evidence: [
        { object: leaseObject, field: `metadata.annotations[${ours}target]`, value: target, at: finished },
        { object: 'FelixConfiguration/default', value: now },
      ],
      remedy:
        'Find who writes it (kubectl get felixconfiguration default -o yaml --show-managed-fields) and change the range there.',
    },
  ]
}
