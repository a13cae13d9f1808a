import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import { counted } from '../counted.ts'
import { valueOf } from '../read.ts'
import type { Evidence, Finding } from '../report.ts'
import { atLeast, type CalicoVersion } from '../version.ts'
import { kernelsOf, nftablesEvidence, nftablesNeeds } from './nftables-needs.ts'

/** The upstream plan (KEP-5495) for IPVS in later versions. */
const plan =
  '1.35 warns, 1.37 has the feature gate KubeProxyIPVS, 1.40 disables it by default, 1.43 removes it (1.40 and 1.43 are plans)'
const offByDefault = 40

/** One finding about leaving IPVS: how long it is supported, what prevents the change here, and the steps. */
export function ipvsDeprecated(cluster: ClusterFacts): Finding[] {
  const { nodes, configurations, kubernetesMinor } = cluster
  const uses = nodes.some(({ running, ipvs }) => running?.mode === 'ipvs' || ipvs !== 'no')
  if (!uses || kubernetesMinor === undefined) return []
  const [first] = configurations.filter(({ mode }) => mode === 'ipvs')
  const left = offByDefault - kubernetesMinor
  const next =
    left <= 0
      ? 'here kube-proxy starts in ipvs mode only with the feature gate'
      : `${counted(left, 'minor version remains', 'minor versions remain')} before it is disabled by default`
  const { texts, evidence } = missingForNftables(cluster, kubernetesMinor)
  const ready =
    texts.length > 0
      ? `This prevents nftables mode here: ${texts.join('; ')}.`
      : 'Nothing that was read here prevents nftables mode.'
  return [
    {
      code: 'IPVS_DEPRECATED',
      severity: left <= 2 ? 'warning' : 'info',
      subject: 'cluster',
      message: `kube-proxy's IPVS mode is deprecated: ${plan}. This cluster runs 1.${kubernetesMinor}: ${next}. ${ready}`,
      evidence: [...(first ? [first.evidence] : []), ...evidence],
      remedy: [toNftables(cluster), toIptables(cluster), ...masquerade(cluster)].join('\n'),
    },
  ]
}

/** In words, and as evidence. */
interface Missing {
  texts: string[]
  evidence: Evidence[]
}

function missingForNftables(cluster: ClusterFacts, minor: number): Missing {
  const inside = cluster.nodes.filter(({ outside }) => outside === undefined)
  const old = inside.filter(({ node }) => isOldKernel(node.kernelVersion))
  const calico = oldest(inside)
  const oldCalico = calico && !atLeast(calico, nftablesNeeds.calico) ? calico.text : undefined
  const oldKernels = kernelsOf(old.length, inside.length)
  const have = old.length === 1 ? 'has' : 'have'
  const texts = [
    minor < nftablesNeeds.minor && `it is generally available from Kubernetes 1.${nftablesNeeds.minor}`,
    oldCalico && `Felix can program nftables from Calico ${nftablesNeeds.calico}, here is ${oldCalico}`,
    oldKernels && `it needs Linux ${nftablesNeeds.linux}, ${oldKernels} ${have} an older one`,
  ].filter((text) => typeof text === 'string')
  const nodes = old.slice(0, 5).map(({ node }) => ({
    object: `Node/${node.name}`,
    field: 'status.nodeInfo.kernelVersion',
    value: node.kernelVersion ?? '',
  }))
  return { texts, evidence: [...nftablesEvidence({ minor, oldCalico, oldKernels }), ...nodes] }
}

function isOldKernel(text: string | undefined): boolean {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})/.exec(text ?? '') ?? []
  return major !== undefined && (Number(major) < 5 || (Number(major) === 5 && Number(minor) < 13))
}

const oldest = (nodes: readonly NodeFacts[]): CalicoVersion | undefined =>
  nodes
    .flatMap(({ version }) => version ?? [])
    .reduce<CalicoVersion | undefined>((a, b) => (!a || atLeast(a, b.text.slice(1)) ? b : a), undefined)

/** In this direction kube-proxy removes the link, so no cleanup is needed. */
function toNftables({ nodes, install, state }: ClusterFacts): string {
  const calico = oldest(nodes)
  const follows = calico && !atLeast(calico, '3.23') ? 'restart calico-node after it' : 'Felix adapts itself'
  const felix =
    install === 'operator'
      ? 'Installation default, spec.calicoNetwork.linuxDataplane: Nftables'
      : calico && atLeast(calico, '3.32')
        ? 'FelixConfiguration default, spec.nftablesMode: Auto'
        : 'FelixConfiguration default, spec.nftablesMode: Enabled'
  return `To nftables: ${place(state)} mode nftables together with Felix (${felix}), best on new nodes; on existing nodes restart kube-proxy, which removes kube-ipvs0, and ${follows}. Node ports then answer on a node's primary addresses only, unless nodePortAddresses says otherwise.`
}

/** In this direction kube-proxy does not remove the link, and Felix checks only the link. */
const toIptables = ({ state }: ClusterFacts): string =>
  `To iptables: ${place(state)} mode iptables, then replace the nodes; on existing nodes restart kube-proxy and run on each: ip link delete kube-ipvs0. The link remains otherwise, and Felix stays in IPVS mode while it exists.`

const place = (state: ClusterFacts['state']): string =>
  valueOf(valueOf(state.eks)?.kubeProxyAddon) ? "in the add-on's configuration values" : "in kube-proxy's configuration"

/** In IPVS mode kube-proxy uses the section for iptables; for nftables mode there is a separate section. */
const masquerade = ({ configurations }: ClusterFacts): string[] =>
  configurations.some(({ mode, masqueradeAll }) => mode === 'ipvs' && masqueradeAll)
    ? [
        "iptables.masqueradeAll is set and applies under ipvs: all traffic to Services gets a node's address as its source, and policy sees that instead of the client's. nftables mode uses nftables.masqueradeAll instead.",
      ]
    : []
