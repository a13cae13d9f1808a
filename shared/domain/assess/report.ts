import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { Judgement } from './verdict.ts'
import { formatMask } from '../mark.ts'
import { plainAll, plainLines } from '../plain.ts'
import { formatRanges } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { NodeReport, Report } from '../report.ts'

/** A node in the report. A node that is not applicable has only its name, verdict and reason. */
export function nodeReport(it: NodeFacts, { verdict, reason }: Judgement): NodeReport {
  const { node, running, values, sources, view, mark, ipvs } = it
  const head = { name: node.name, verdict, ...(reason !== undefined && { reason }) }
  if (it.outside !== undefined) return { ...head, runningMode: 'unknown', confidence: 'none' }
  const source = sources.KubeNodePortRanges
  return {
    ...head,
    runningMode: running?.mode ?? 'unknown',
    confidence: running?.confidence ?? 'none',
    // In eBPF mode Felix ignores the link. If that mode is not known, this is not known either.
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
 * Sanitizes every text of a report. Values that were compared literally (annotations, files, patterns) become plain
 * text. Only remedies may have several lines: they are the tool's own text, and values in them are JSON.
 */
const published = (it: Report): Report => ({
  ...plainAll({ ...it, findings: [] }),
  findings: it.findings.map(({ remedy, ...finding }) => ({
    ...plainAll(finding),
    ...(remedy !== undefined && { remedy: plainLines(remedy).join('\n') }),
  })),
})

/** Absent if it is not known whether and how Calico is installed. */
function calicoOf(cluster: ClusterFacts): Report['calico'] {
  const { state, install, calico: version } = cluster
  if (install === undefined) return undefined
  const api = install === 'none' ? undefined : valueOf(state.felix)?.api
  return { ...(version && install !== 'none' && { version: version.text }), install, ...(api && { api }) }
}
