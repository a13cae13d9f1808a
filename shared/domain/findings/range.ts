import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { FelixWarning, RangeLayer } from '../felix/values.ts'
import type { FelixObject } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import { copyRule } from '../felix/lookup.ts'
import { copyKey, isReadable, readCopy } from '../felix/metadata-copy.ts'
import type { NodeCheck, Trouble } from './checks.ts'
import { ownerOf } from '../facts/owner.ts'
import type { RangeDifference } from '../facts/range-difference.ts'
import { builtIn, isReachedByDefault, layerEvidence, specRanges, text, warningEvidence } from './range-layers.ts'
import { apiOf, environmentChange, felixName, felixObject, onCluster, rangeManifest, rangePatch } from './remedy.ts'
import { parsePortList, sameRanges, type PortRange } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { Evidence, Finding, Severity } from '../report.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'
import { isUnfinished } from '../rollout/rollout.ts'

/**
 * Under IPVS a wrong range means wrong policy now; if IPVS is only configured, it will; otherwise the range is not
 * used.
 */
export const rangeSeverity = ({ ipvs, running }: NodeFacts): Severity =>
  ipvs === 'active' ? 'critical' : ipvs === 'configured' || running?.mode === 'unknown' ? 'warning' : 'info'

export const rangeDiffers: NodeCheck = (it, cluster) => {
  const { effectiveRange: effective } = it.values
  const { desired } = cluster
  const { rangeDifference: difference, rangeLayer: layer } = it
  if (!effective || !desired || !difference) return []
  const severity = rangeSeverity(it)
  const seen = layer ? layerEvidence(layer) : builtIn
  const base = {
    severity,
    breaks: it.rangeDiffers,
    evidence: desiredEvidence(cluster),
    seen: { ...seen, value: seen.value ?? '' },
  }
  const reached = isReachedByDefault(it, cluster) || !layer
  const remedy = { remedy: () => (reached ? changeOfDefault(it, cluster) : changeLayer(layer, cluster)) }
  const use = it.ipvs === 'active' ? '' : ' IPVS is not active, so the value is not used now.'
  const differs: Trouble = {
    ...base,
    code: 'RANGE_DIFFERS',
    message: `${wrongRange(effective, desired, difference)}${use}${inUse(difference.missing, cluster)}`,
    ...remedy,
  }
  if (difference.extra.length === 0) return [differs]
  return [differs, { ...base, code: 'RANGE_TOO_WIDE', message: tooWide(text(difference.extra), use), ...remedy }]
}

const wrongRange = (effective: PortRange[], desired: PortRange[], { missing, extra }: RangeDifference): string => {
  const tooFew = missing.length > 0 ? `: ${text(missing)} missing` : ''
  const tooMany = extra.length > 0 ? `, ${text(extra)} too many` : ''
  return `Felix treats ${text(effective)} as node ports, Services may have ${text(desired)}${tooFew}${tooMany}.`
}

/** Comparisons for one node: a cluster may have thousands of nodes, and a hostile one thousands of scattered ports. */
const comparedAtMost = 20_000

/** Whether anybody notices now. Nothing where the Services were not read, or are too many to compare. */
const inUse = (missing: PortRange[], { state }: ClusterFacts): string => {
  const uses = valueOf(state.nodePorts)
  if (missing.length === 0 || !uses || missing.length * uses.length > comparedAtMost) return ''
  const used = uses.filter(({ port }) => missing.some(({ min, max }) => min <= port && port <= max)).length
  return used === 0 ? ' No Service uses a missing port now.' : ` Services use ${used} of the missing ports now.`
}

const tooWide = (extra: string, use: string): string =>
  `Felix treats ${extra} as node ports, but no Service can have them: host-endpoint policy is skipped for whatever else listens there.${use}`

const desiredEvidence = ({ serviceRange: { min, max, source }, strays }: ClusterFacts): Evidence[] => [
  {
    object: source === 'eks-api' ? 'eks:DescribeCluster' : 'kube-apiserver',
    field: 'serviceNodePortRange',
    value: `${min}:${max} (${source})`,
  },
  ...strays.slice(0, 5).map(({ service, field, port }) => ({ object: `Service/${service}`, field, value: `${port}` })),
]

/**
 * `spec.kubeNodePortRanges` reaches Felix as text that it cannot parse, in every version so far; only the annotation
 * is used.
 */
export const specIgnored: NodeCheck = (it, cluster) => {
  const { rangeLayer: layer } = it
  if (layer?.kind !== 'spec') return []
  const wanted = specRanges(layer.object, cluster)
  const { effectiveRange: effective } = it.values
  if (!wanted || !effective || sameRanges(wanted, effective)) return []
  const name = felixName(layer.object) ?? ''
  return [
    {
      code: 'RANGE_SPEC_IGNORED',
      severity: it.rangeDiffers ? 'warning' : 'info',
      breaks: false,
      subject: layer.object,
      message: `${layer.object} asks for ${text(wanted)} in spec.kubeNodePortRanges, which Felix cannot parse and replaces with ${text(effective)}; only the annotation counts.`,
      evidence: [layerEvidence(layer)],
      ...(cluster.desired && {
        remedy: changeOf(name, it, cluster),
      }),
    },
  ]
}

export const rangeShadowed: NodeCheck = (it, cluster) => {
  if (it.ipvs !== 'active') return []
  const hidden = (it.felix?.warnings ?? []).find((w) => w.kind === 'unknown' && w.parameter === 'KubeNodePortRanges')
  if (hidden && it.values.effectiveRange === undefined) return [unseen(hidden)]
  if (!it.rangeDiffers || isReachedByDefault(it, cluster)) return []
  const { rangeLayer: layer } = it
  if (!layer) return []
  return [
    {
      code: 'RANGE_SHADOWED',
      severity: 'warning',
      breaks: true,
      ...(layer.source === 'host' ? {} : { subject: subjectOf(layer, cluster) }),
      message: `${placeOf(layer)} decides the range here and takes precedence over FelixConfiguration/default: a change of default would have no effect. Change it there.`,
      evidence: layer.source === 'host' ? [] : [layerEvidence(layer)],
      ...(layer.source === 'host' && { seen: layerEvidence(layer) }),
      remedy: changeLayer(layer, cluster),
    },
  ]
}

/** Overrides of many nodes count as one cause. */
const placeOf = ({ source, object }: RangeLayer): string =>
  source === 'host' ? "The node's own FelixConfiguration/node.NAME" : object

const subjectOf = ({ object }: RangeLayer, cluster: ClusterFacts): string =>
  object.startsWith('FelixConfiguration/') ? object : calicoNode(cluster)

const calicoNode = ({ calicoSets: [set] }: ClusterFacts): string =>
  set ? `DaemonSet/${set.namespace}/${set.name}` : 'DaemonSet/calico-node'

const unseen = (warning: FelixWarning): Trouble => ({
  code: 'RANGE_SHADOWED',
  severity: 'warning',
  breaks: false,
  message: `The range comes from ${warning.object}, whose value is not read: ${warning.message}`,
  evidence: [warningEvidence(warning)],
  remedy:
    'Remove the setting there, so that FelixConfiguration/default decides, or move the value to a place that can be read.',
})

function changeLayer(layer: RangeLayer, cluster: ClusterFacts): string {
  const name = felixName(layer.object)
  if (layer.kind === 'file')
    return 'Remove KubeNodePortRanges from /etc/calico/felix.cfg on the node and restart its calico-node pod.'
  if (name === undefined) return environmentChange(cluster, layer.object.replace(/^env /, ''), '-')
  return rangePatch(cluster, name)
}

/** The change to one object. Where a change of `default` restarts Felix, a rollout is advised first. */
export const changeOf = (name: string, it: NodeFacts, cluster: ClusterFacts): string =>
  name === 'default' && it.rangeDiffers ? changeOfDefault(it, cluster) : rangePatch(cluster, name)

/** The change to `default`; where a tool owns the object, the change to that tool's source. */
function changeOfDefault(it: NodeFacts, cluster: ClusterFacts): string {
  const { desired = [], policy } = cluster
  const object = felixObject(cluster, 'default')
  const owner = object && !policy.ignoreOwner ? ownerOf(object) : undefined
  const change = owner
    ? `Merge this into what ${owner.tool} applies:\n${rangeManifest(cluster, 'default', desired)}`
    : rangePatch(cluster, 'default', desired)
  // A manual patch would reach all nodes at once, also the node on which the rollout halted.
  if (!owner && isUnfinished(cluster.rollout))
    return `${onCluster(cluster, 'rollout status')}   # the rollout of this range, and what to do`
  const sync = `${onCluster(cluster, 'sync')}   # node by node\n`
  return owner ? change : `${it.rangeDiffers ? sync : 'Nothing, while IPVS is not active.\n'}${byHand}\n${change}`
}

const byHand = 'Or manually, which restarts Felix on every node at once:'

/** In the annotation, or in the copy of the metadata where Felix prefers that. */
const rangeTextOf = (
  { annotations }: FelixObject,
  cluster: ClusterFacts,
): { text: string | undefined; key: string } => {
  const { calico } = cluster
  const copy = annotations[copyKey] ?? ''
  const isMerged = calico !== undefined && copyRule(apiOf(cluster), calico) === 'merged' && isReadable(copy)
  const copied = isMerged ? readCopy(copy)?.annotations.get(rangeAnnotation) : undefined
  return copied === undefined
    ? { text: annotations[rangeAnnotation], key: rangeAnnotation }
    : { text: copied, key: copyKey }
}

/** The annotation and the spec have different values: the annotation is used, and the spec is misleading. */
export function specContradicts(cluster: ClusterFacts): Finding[] {
  return (valueOf(cluster.state.felix)?.objects ?? []).flatMap((object): Finding[] => {
    const { text: annotation, key } = rangeTextOf(object, cluster)
    const said = annotation === undefined || annotation === '' ? undefined : parsePortList(annotation)
    const spec = specRanges(object.name, cluster)
    if (!said?.ok || !spec || sameRanges(said.ranges, spec)) return []
    return [
      {
        code: 'RANGE_SPEC_IGNORED',
        severity: 'info',
        subject: objectName(object.name),
        message: `FelixConfiguration/${object.name} says ${text(spec)} in spec.kubeNodePortRanges and ${text(said.ranges)} in its annotation; the annotation counts.`,
        evidence: [
          {
            object: objectName(object.name),
            field: 'spec.kubeNodePortRanges',
            value: JSON.stringify(object.spec['kubeNodePortRanges']),
          },
          {
            object: objectName(object.name),
            field: `metadata.annotations[${key}]`,
            value: annotation ?? '',
          },
        ],
      },
    ]
  })
}
