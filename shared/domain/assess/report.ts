import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { Judgement } from './verdict.ts'
import { formatMask } from '../mark.ts'
import { plainAll, plainLines } from '../plain.ts'
import { formatRanges } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { NodeReport, Report } from '../report.ts'

/** One node as published. A node that is not applicable has only its name, verdict and reason. */
export function nodeReport(it: NodeFacts, { verdict, reason }: Judgement): NodeReport {
  const { node, running, values, sources, view, mark, ipvs } = it
  const head = { name: node.name, verdict, ...(reason !== undefined && { reason }) }
  if (it.outside !== undefined) return { ...head, runningMode: 'unknown', confidence: 'none' }
  const source = sources.KubeNodePortRanges
  return {
    ...head,
    runningMode: running?.mode ?? 'unknown',
    confidence: running?.confidence ?? 'none',
    // In eBPF mode Felix ignores the link; where that cannot be told, neither can this.
    ...(view.ipvs !== undefined && values.BPFEnabled !== undefined && { felixIpvs: view.ipvs }),
    ...(values.effectiveRange && { effectiveRange: formatRanges(values.effectiveRange) }),
    ...(source && { rangeSource: source }),
    ...(mark?.mask !== undefined && { markMask: formatMask(mark.mask) }),
    ...(ipvs !== 'no' && mark?.capacity !== undefined && { markCapacity: mark.capacity }),
    ...(node.podsMax !== undefined && { podsMax: node.podsMax }),
  }
}

export function report(cluster: ClusterFacts, judged: Pick<Report, 'verdict' | 'nodes' | 'findings'>): Report {
  const { state, serviceRange, desired, configuredMode } = cluster
  const addonVersion = valueOf(valueOf(state.eks)?.kubeProxyAddon)?.version
  const kubeProxy = { ...(configuredMode && { configuredMode }), ...(addonVersion !== undefined && { addonVersion }) }
  const calico = calicoOf(cluster)
  return published({
    schemaVersion: 1,
    cluster: state.cluster,
    observedAt: state.observedAt,
    verdict: judged.verdict,
    serviceRange,
    ...(desired && { desiredRange: formatRanges(desired) }),
    ...(calico && { calico }),
    ...(Object.keys(kubeProxy).length > 0 && { kubeProxy }),
    nodes: judged.nodes,
    findings: judged.findings,
  })
}

/**
 * Every text of a report passes through here before people see it. Values that were judged to the letter (annotations, files,
 * patterns) are shown as plain text. Only remedies may have several lines: those are ours, and values in them are JSON.
 */
const published = (it: Report): Report => ({
  ...plainAll({ ...it, findings: [] }),
  findings: it.findings.map(({ remedy, ...finding }) => ({
    ...plainAll(finding),
    ...(remedy !== undefined && { remedy: plainLines(remedy).join('\n') }),
  })),
})

/** Absent where it is not known whether Calico is installed, and how. */
function calicoOf(cluster: ClusterFacts): Report['calico'] {
  const { state, install, calico: version } = cluster
  if (install === undefined) return undefined
  const api = install === 'none' ? undefined : valueOf(state.felix)?.api
  return { ...(version && install !== 'none' && { version: version.text }), install, ...(api && { api }) }
}
