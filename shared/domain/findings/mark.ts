import { usesWireguard } from '../facts/node-judgement.ts'
import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { FelixParameter, ParameterLayer } from '../felix/values.ts'
import { objectName } from '../felix/layer.ts'
import { counted } from '../counted.ts'
import type { NodeCheck, Trouble } from './checks.ts'
import { felixName, kubectl, onFelix, onObjects, parameterChange } from './remedy.ts'
import { quoted } from '../shell.ts'
import {
  betterMask,
  bitsEvidence,
  bitsIn,
  formatMask,
  markUsers,
  nameOf,
  overlaps,
  storableInSpec,
  type MarkUser,
} from '../mark.ts'
import { markingPrograms } from '../facts/marking.ts'
import { valueOf } from '../read.ts'
import type { Evidence, Finding } from '../report.ts'
import { atLeast, type CalicoVersion } from '../version.ts'

/** From Calico 3.33 the fields have 32 bits; from Kubernetes 1.36 the int32 of the older fields is enforced. */
export const isInt32 = ({ kubernetesMinor }: ClusterFacts, { version }: Pick<NodeFacts, 'version'>): boolean =>
  (kubernetesMinor ?? 0) >= 36 && !(version && atLeast(version, '3.33'))

function neighboursOf(it: NodeFacts, { state, vpcCni, configurations }: ClusterFacts): MarkUser[] {
  const configuration = it.running?.configuration ?? configurations[0]
  const bit = it.running?.mode === 'nftables' ? configuration?.nftablesMasqueradeBit : configuration?.masqueradeBit
  return markUsers({ masqueradeBit: bit ?? 14, programs: markingPrograms(state, it.node, vpcCni) })
}

/** Which of the two parameters is effective, and its layer. */
export function maskLayer({ index, felixNode, values }: NodeFacts): {
  parameter: FelixParameter
  layer: ParameterLayer | undefined
  evidence: Evidence
} {
  const { effectiveMarkMask, NftablesMarkMask, IptablesMarkMask } = values
  const nftables = effectiveMarkMask === NftablesMarkMask && effectiveMarkMask !== IptablesMarkMask
  const parameter = nftables ? 'NftablesMarkMask' : 'IptablesMarkMask'
  const layer = index && felixNode ? index.layers(felixNode, parameter).find(({ decides }) => decides) : undefined
  const evidence = {
    object: layer?.object ?? 'Felix',
    field: layer?.field ?? parameter,
    value: layer?.raw ?? formatMask(effectiveMarkMask ?? 0),
  }
  return { parameter, layer, evidence }
}

/** What determines how many of the mask's bits are left for endpoints. */
export interface Room {
  calico: CalicoVersion | undefined
  wireguard: boolean
}

const roomNow = ({ version, values }: NodeFacts): Room => ({ calico: version, wireguard: usesWireguard(values) })

/**
 * A mask with enough room that takes no bits of other programs, and the command that sets it. This tool never writes
 * masks: an invalid one stops every Felix.
 */
export function advice(it: NodeFacts, cluster: ClusterFacts, room = roomNow(it)): { remedy: string; mask?: number } {
  const { node, values } = it
  const better = betterMask({
    ...room,
    mask: values.effectiveMarkMask ?? 0xffff0000,
    endpoints: node.podsMax ?? 110,
    int32: isInt32(cluster, it),
    users: neighboursOf(it, cluster),
  })
  if (!better)
    return {
      remedy: `No mask has room for ${counted(node.podsMax ?? 0, 'pod')} besides the other users of the packet mark; lower the kubelet's maxPods.`,
    }
  const { parameter, layer } = maskLayer(it)
  const command = parameterChange(cluster, layer, { parameter, value: better.text })
  return {
    mask: better.mask,
    remedy: `${command}   # room for ${better.capacity}; restarts Felix ${reachOf(layer)}`,
  }
}

const reachOf = (layer: ParameterLayer | undefined): string => {
  const name = layer && felixName(layer.object)
  return name?.startsWith('node.') ? 'on that node' : 'on all nodes it reaches at once, so choose the time'
}

export const markCapacity: NodeCheck = (it, cluster) => {
  const { mark, node, ipvs, values } = it
  const mask = mark?.mask
  if (ipvs === 'no' || mask === undefined || isTooSmall(it) || node.podsMax === undefined) return []
  if ((mark?.capacity ?? 0) >= node.podsMax) return []
  const wireguard = usesWireguard(values) ? ' with WireGuard' : ''
  return [
    {
      code: 'MARK_CAPACITY',
      severity: ipvs === 'active' ? 'critical' : 'warning',
      breaks: ipvs === 'active',
      message: `The mark mask ${formatMask(mask)} has room for ${mark?.capacity} endpoints (Calico ${it.version?.text ?? 'of unknown version'}${wireguard}), the node may have ${counted(node.podsMax, 'pod')}: the other pods get no mark, and policy on their Service traffic fails without a log line.`,
      evidence: [maskLayer(it).evidence],
      seen: { object: `Node/${node.name}`, field: 'status.allocatable.pods', value: `${node.podsMax}` },
      remedy: advice(it, cluster).remedy,
    },
  ]
}

/** Felix does not start with this mask: it has too few bits for Felix itself, or in IPVS mode no bits for endpoints. */
function isTooSmall({ mark, ipvs, version, values }: NodeFacts): boolean {
  if (mark?.mask === undefined) return false
  const own = (version && !atLeast(version, '3.30') ? 4 : 5) + (usesWireguard(values) ? 1 : 0)
  return bitsIn(mark.mask) < own + (ipvs === 'active' ? 1 : 0)
}

const isMask = (parameter: string | undefined): boolean => parameter?.endsWith('MarkMask') === true

export const markInvalid: NodeCheck = (it, cluster) => {
  const { felix, mark } = it
  if (felix?.outcome === 'error' && isMask(felix.parameter)) {
    const [object = 'cluster'] = felix.objects
    return [invalid(object, felix.message, [{ object, field: felix.parameter ?? '' }], editRemedy(object, cluster))]
  }
  if (mark?.mask === undefined || !isTooSmall(it)) return []
  const { evidence } = maskLayer(it)
  const message = `The mark mask ${formatMask(mark.mask)} has too few bits for Calico ${it.version?.text ?? ''}: Felix stops with "Not enough mark bits available".`
  return [invalid(evidence.object, message, [evidence], advice(it, cluster).remedy)]
}

const invalid = (subject: string, message: string, evidence: Evidence[], remedy: string): Trouble => ({
  code: 'MARK_INVALID',
  severity: 'critical',
  breaks: true,
  subject,
  message,
  evidence,
  remedy,
})

function editRemedy(object: string, cluster: ClusterFacts): string {
  const name = felixName(object)
  return name === undefined
    ? `Remove or fix the mask in ${object}.`
    : `Remove or fix the mask: ${kubectl(cluster)} edit ${onFelix(cluster, name)}`
}

export const markOverlap: NodeCheck = (it, cluster) => {
  const { mark, ipvs } = it
  if (mark?.mask === undefined) return []
  const mask = mark.mask
  const found = overlaps(mask, neighboursOf(it, cluster)).map(
    (user): Trouble => ({
      code: 'MARK_OVERLAP',
      severity: ipvs === 'active' && !user.seldom ? 'critical' : 'warning',
      breaks: true,
      message: `The mark mask ${formatMask(mask)} takes ${formatMask(user.bits)}, which ${user.name} uses: each changes the other's marks.`,
      evidence: [maskLayer(it).evidence, ...(user.evidence ? [user.evidence] : []), bitsEvidence(user)],
      remedy: advice(it, cluster).remedy,
    }),
  )
  return [...found, ...hiddenMarks(it, cluster)]
}

/** Names another program whose bits are not known: they may overlap. */
const hiddenMarks = (it: NodeFacts, cluster: ClusterFacts): Trouble[] =>
  markingPrograms(cluster.state, it.node, cluster.vpcCni).flatMap((program): Trouble[] => {
    const { hidden, evidence } = program
    if (hidden === undefined || !evidence) return []
    const [, namespace, name] = evidence.object.split('/')
    return [
      {
        code: 'MARK_OVERLAP',
        severity: 'info',
        breaks: false,
        subject: evidence.object,
        message: `The bits of the packet mark that ${nameOf(program)} uses are not known: ${evidence.field} comes from ${hidden}, which is not read.`,
        evidence: [evidence],
        remedy: `Check them on a node and compare them with the mask: iptables-save | grep -i mark. The source of the variable: ${kubectl(cluster)} -n ${quoted(namespace ?? '')} get ${onObjects('daemonset', name ?? '')} -o yaml`,
      },
    ]
  })

/**
 * Which of the two masks is effective depends on the nftables mode and on Calico's version, so only equal values are
 * safe.
 */
export const markTablesDiffer: NodeCheck = ({ values }) => {
  const { IptablesMarkMask: iptables, NftablesMarkMask: nftables, NFTablesMode: mode } = values
  if (iptables === undefined || nftables === undefined || iptables === nftables) return []
  if (mode === undefined || mode === 'Disabled') return []
  return [
    {
      code: 'MARK_TABLES_DIFFER',
      severity: mode === 'Auto' ? 'warning' : 'info',
      breaks: false,
      message: `iptablesMarkMask is ${formatMask(iptables)}, nftablesMarkMask ${formatMask(nftables)}, and nftablesMode is ${mode}: up to Calico 3.32 the second counts only with Enabled, later also when Auto finds nftables.`,
      evidence: [
        { object: 'Felix', field: 'iptablesMarkMask', value: formatMask(iptables) },
        { object: 'Felix', field: 'nftablesMarkMask', value: formatMask(nftables) },
      ],
      remedy: 'Set both to the same value.',
    },
  ]
}

/**
 * A mask above 0x7fffffff in a spec remains stored but cannot be written again; a better one possibly cannot be
 * written at all.
 */
export function markNotStorable(cluster: ClusterFacts): Finding[] {
  const int32 = cluster.nodes.some((it) => it.outside === undefined && isInt32(cluster, it))
  if (!int32) return []
  const fields = ['iptablesMarkMask', 'nftablesMarkMask']
  const stored = (valueOf(cluster.state.felix)?.objects ?? []).flatMap(({ name, spec }) =>
    fields.flatMap((field): Evidence[] => {
      const value = spec[field]
      if (typeof value !== 'number' || storableInSpec(value, true)) return []
      return [{ object: objectName(name), field: `spec.${field}`, value: `${value}` }]
    }),
  )
  const short = cluster.nodes.find((it) => wantsMask(it, cluster))
  const wanted = short && advice(short, cluster)
  const unwritable = wanted?.mask !== undefined && !storableInSpec(wanted.mask, true)
  if (stored.length === 0 && !unwritable) return []
  const why = 'Kubernetes 1.36 and newer refuses numbers above 2147483647 in these fields of Calico 3.32 and older'
  return [
    {
      code: 'MARK_NOT_STORABLE',
      severity: unwritable ? 'warning' : 'info',
      subject: stored[0]?.object ?? 'FelixConfiguration/default',
      message: unwritable
        ? `${why}: only an annotation can hold the required mask.`
        : `${why}: the stored mask remains, but could not be written again.`,
      evidence: [{ object: 'kube-apiserver', field: 'version', value: `1.${cluster.kubernetesMinor}` }, ...stored],
      remedy:
        wanted?.remedy ??
        'Keep the value as annotation config.projectcalico.org/IptablesMarkMask, which accepts every value, and remove the spec field.',
    },
  ]
}

const wantsMask = (it: NodeFacts, cluster: ClusterFacts): boolean =>
  it.outside === undefined &&
  [markCapacity, markInvalid, markOverlap].some((check) => check(it, cluster).some(({ breaks }) => breaks))
