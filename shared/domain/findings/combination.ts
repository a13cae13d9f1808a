import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { FelixParameter, ParameterLayer } from '../felix/values.ts'
import type { NodeCheck, NodeTrouble, Trouble } from './checks.ts'
import { parameterChange } from './remedy.ts'
import type { Evidence } from '../report.ts'

const link = 'kube-ipvs0'

const deciding = ({ index, felixNode }: NodeFacts, parameter: FelixParameter): ParameterLayer | undefined =>
  index && felixNode ? index.layers(felixNode, parameter).find(({ decides }) => decides) : undefined

/** The layer of a parameter's value; the built-in default if no layer sets it. */
function standsIn(it: NodeFacts, parameter: FelixParameter): Evidence {
  const layer = deciding(it, parameter)
  return {
    object: layer?.object ?? 'Felix',
    field: layer?.field ?? parameter,
    ...(layer?.raw === undefined ? {} : { value: layer.raw }),
  }
}

/**
 * Felix watches the link in eBPF mode too: while the link exists, Felix restarts in a loop
 * (projectcalico/calico#8929).
 */
export const ipvsWithBpf: NodeCheck = (it) => {
  if (it.values.BPFEnabled !== true) return []
  const runs = it.running?.mode === 'ipvs'
  if (it.leftLink && !runs) return [linkLeft(it, it.leftLink)]
  if (it.ipvs === 'no') return []
  return [
    {
      code: 'IPVS_WITH_BPF',
      severity: runs ? 'critical' : 'warning',
      breaks: runs,
      message: runs
        ? 'Felix is in eBPF mode and kube-proxy runs ipvs: while the link kube-ipvs0 exists, Felix restarts in a loop.'
        : 'Felix is in eBPF mode and kube-proxy is configured for ipvs: once it runs, Felix restarts in a loop.',
      evidence: [standsIn(it, 'BPFEnabled'), ...(it.running?.evidence ?? [])],
      remedy: 'Configure another mode for kube-proxy (or remove it), then on each node: ip link delete kube-ipvs0',
    },
  ]
}

/** A cluster that changed from ipvs to eBPF has no kube-proxy that would remove the link. */
const linkLeft = (it: NodeFacts, evidence: Evidence[]): Trouble => ({
  code: 'IPVS_WITH_BPF',
  severity: 'critical',
  breaks: true,
  message: `Felix is in eBPF mode and the link ${link} of an earlier ipvs mode still exists: Felix restarts in a loop.`,
  evidence: [standsIn(it, 'BPFEnabled'), ...evidence],
  seen: { object: `Node/${it.node.name}`, field: 'link', value: link },
  remedy: `On each of these nodes: ip link delete ${link} (or replace the node). Felix then stops restarting.`,
})

export const ipvsWithNftables: NodeCheck = (it, cluster) => {
  if (it.values.NFTablesMode !== 'Enabled' || it.ipvs === 'no' || it.values.BPFEnabled === true) return []
  const active = it.ipvs === 'active'
  return [
    {
      code: 'IPVS_WITH_NFTABLES',
      severity: 'warning',
      breaks: active,
      message: `Felix programs nftables (nftablesMode Enabled) while kube-proxy ${active ? 'runs' : 'is configured for'} ipvs; this combination is not tested.`,
      evidence: [standsIn(it, 'NFTablesMode'), ...(it.running?.evidence ?? [])],
      remedy: `Either set kube-proxy to nftables mode, or: ${parameterChange(cluster, deciding(it, 'NFTablesMode'), { parameter: 'NFTablesMode', value: 'Disabled' })}   # with the operator: Installation default, spec.calicoNetwork.linuxDataplane: Iptables`,
    },
  ]
}

/**
 * The link has every ClusterIP as an address. If Felix treats them as addresses of the host, it treats Service
 * traffic as host traffic.
 */
export const interfaceExclude: NodeCheck = (it, cluster) => {
  const { InterfaceExclude: patterns } = it.values
  if (it.ipvs === 'no' || !patterns || it.values.BPFEnabled === true || it.index?.excludesInterface(patterns, link))
    return []
  const active = it.ipvs === 'active'
  return [
    {
      code: 'INTERFACE_EXCLUDE',
      severity: active ? 'critical' : 'warning',
      breaks: active,
      message: `interfaceExclude does not cover ${link}: Felix treats every ClusterIP as an address of the host, and policy on Service traffic is wrong.`,
      evidence: [standsIn(it, 'InterfaceExclude')],
      remedy: parameterChange(cluster, deciding(it, 'InterfaceExclude'), {
        parameter: 'InterfaceExclude',
        value: interfacesWith(patterns),
      }),
    },
  ]
}

/** Regular expressions in Felix's own notation: a plain name, or an expression between slashes. */
const interfacesWith = (patterns: readonly string[]): string =>
  [link, ...patterns.map((it) => /^\^([\w-]+)\$$/.exec(it)?.[1] ?? `/${it}/`)].join(',')

export const selectorOverlap: NodeCheck = (it) =>
  (it.felix?.warnings ?? [])
    .filter(({ kind }) => kind === 'selector-overlap' || kind === 'selector-invalid')
    .map(({ object, field, raw, message }) => ({
      code: 'SELECTOR_OVERLAP',
      severity: 'info',
      breaks: false,
      subject: object,
      message: `${object}: ${message}.`,
      evidence: [{ object, ...(field === undefined ? {} : { field }), ...(raw === undefined ? {} : { value: raw }) }],
      remedy: 'Give the objects selectors that do not overlap; Felix uses one object and merges nothing.',
    }))

/**
 * The API server sets `nftablesMode: Auto` in every object it stores, so an override for another setting hides the
 * value of `default`.
 */
export function nftablesModeDiffers({ nodes }: ClusterFacts): NodeTrouble[] {
  const inside = nodes.filter(({ outside, values }) => outside === undefined && values.NFTablesMode !== undefined)
  const general = inside.filter(({ sources }) => isGeneral(sources.NFTablesMode))
  const usual = general[0]?.values.NFTablesMode ?? inside[0]?.values.NFTablesMode
  const differing = inside.filter(({ values }) => values.NFTablesMode !== usual)
  return usual === undefined ? [] : differing.map((it) => ({ node: it.node.name, trouble: differs(it, usual) }))
}

const isGeneral = (source: string | undefined): boolean => source === 'global' || source === 'default'

function differs(it: NodeFacts, usual: string): Trouble {
  const evidence = standsIn(it, 'NFTablesMode')
  return {
    code: 'NFTABLES_MODE_DIFFERS',
    severity: 'warning',
    breaks: false,
    subject: evidence.object,
    message: `Felix uses nftablesMode ${it.values.NFTablesMode} here and ${usual} elsewhere; the API server adds Auto to an object that does not set it, which then hides the value of default.`,
    evidence: [evidence],
    remedy: `Set nftablesMode: ${usual} in ${evidence.object}, or remove that object.`,
  }
}
