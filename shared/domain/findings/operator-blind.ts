import type { ClusterFacts } from '../facts/facts.ts'
import type { FelixObject } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import type { ClusterCheck } from './checks.ts'
import { specRanges } from './range-layers.ts'
import { onCluster, patchCommand, rangeWrite } from './remedy.ts'
import { annotationValue, parsePortList } from '../ports.ts'
import { valueOf } from '../read.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'
import { atLeast, type CalicoVersion } from '../version.ts'

/**
 * The operator of Calico 3.19 to 3.24 (v1.17 to v1.27.16 and v1.28.7) watches FelixConfigurations with a type that
 * cannot parse any item of `kubeNodePortRanges`: its list fails and it crashes (projectcalico/calico#6508).
 */
export const operatorBlind: ClusterCheck = (cluster) => {
  const { install, calico, state } = cluster
  if (install !== 'operator' || !calico || !atLeast(calico, '3.19') || atLeast(calico, '3.25')) return []
  return (valueOf(state.felix)?.objects ?? []).filter(hasItems).map((object) => ({
    code: 'OPERATOR_BLIND',
    ...stops(calico),
    subject: objectName(object.name),
    evidence: [
      {
        object: objectName(object.name),
        field: 'spec.kubeNodePortRanges',
        value: JSON.stringify(object.spec['kubeNodePortRanges']),
      },
      { object: 'Calico', field: 'version', value: calico.text },
    ],
    remedy: withoutField(object, cluster),
  }))
}

const hasItems = ({ spec: { kubeNodePortRanges: items } }: FelixObject): boolean =>
  Array.isArray(items) && items.length > 0

/** Calico 3.24.6 was released with a fixed operator; an older operator may be installed. */
const stops = (calico: CalicoVersion): { severity: 'critical' | 'warning'; message: string } =>
  atLeast(calico, '3.24.6')
    ? {
        severity: 'warning',
        message: `An operator older than v1.28.8 cannot read spec.kubeNodePortRanges and crashes on it; ${calico.text} was released with a newer one. Felix ignores the field in any case: only the annotation counts.`,
      }
    : {
        severity: 'critical',
        message: `The operator of Calico ${calico.text} cannot read spec.kubeNodePortRanges: it crashes and neither updates nor repairs anything until the field is removed. Felix ignores the field in any case: only the annotation counts.`,
      }

/** The annotation keeps its value if it has one; else it gets the desired range, or the field's value. */
function withoutField(object: FelixObject, cluster: ClusterFacts): string {
  const present = object.annotations[rangeAnnotation]
  if (present !== undefined && parsePortList(present).ok) return rangeWrite(cluster, object, { annotation: present })
  const ranges = cluster.desired ?? specRanges(object.name, cluster)
  if (!ranges) return patchCommand(cluster, object.name, { spec: { kubeNodePortRanges: null } })
  return `${rangeWrite(cluster, object, { annotation: annotationValue(ranges) })}
The annotation makes the range effective: Felix restarts at once on every node that uses another range now. If nodes are out of step, this does both, node by node: ${onCluster(cluster, 'sync')}`
}
