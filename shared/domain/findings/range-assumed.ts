import { apiServer, isAssumed } from '../facts/assumption.ts'
import type { ClusterFacts } from '../facts/facts.ts'
import type { ClusterCheck } from './checks.ts'
import { listed } from './range-layers.ts'
import { felixName, felixObject, onCluster } from './remedy.ts'
import type { ClusterState } from '../cluster.ts'
import { failureOf, valueOf } from '../read.ts'
import type { Evidence } from '../report.ts'
import { ours } from '../rollout/annotations.ts'
import { changeMark, type Known } from '../rollout/marks.ts'

/**
 * Reported whenever the range is assumed. The cluster may be in step if nothing contradicts the assumption; else it
 * is unknown.
 */
export const rangeAssumed: ClusterCheck = (cluster) => {
  const { serviceRange, objections, nodes, state, otherThanEks } = cluster
  // If EKS described another cluster, that must be fixed first.
  if (!isAssumed(serviceRange) || otherThanEks.length > 0) return []
  if (nodes.every(({ outside }) => outside !== undefined)) return []
  const range = `${serviceRange.min}:${serviceRange.max}`
  const isUsed = nodes.some(({ ipvs }) => ipvs === 'active')
  return [
    {
      code: 'RANGE_ASSUMED',
      severity: objections.length > 0 && isUsed ? 'warning' : 'info',
      subject: 'cluster',
      message: `The service range is assumed to be ${range}, the default: ${reason(state)}. ${meaning(cluster, isUsed)}`,
      evidence: [
        { object: apiServer, field: 'serviceNodePortRange', value: `${range} (assumed)` },
        ...objections.slice(0, evidenceShown),
      ],
      remedy: [
        state.probeFailure
          ? 'Allow "create services" in namespace default, and run it again with --probe.'
          : `${onCluster(cluster, 'check')} --probe   # reads it from the API server, with a Service that it must reject`,
        `${onCluster(cluster, 'check')} --service-node-port-range MIN-MAX   # if you know the range`,
        'plan and sync take the same option.',
      ].join('\n'),
    },
  ]
}

const evidenceShown = 20

function reason({ eks, probeFailure }: ClusterState): string {
  if (probeFailure) return 'the API server did not return it'
  return failureOf(eks) ? 'the EKS API did not return it' : 'it was not read'
}

function meaning(cluster: ClusterFacts, isUsed: boolean): string {
  const { objections } = cluster
  if (objections.length === 0) return 'Nothing contradicts it.'
  const against = `But ${listed(objections.map((it) => said(it, cluster)))}.`
  return isUsed
    ? `${against} So it is not known whether Calico is in step, and nothing is written.`
    : `${against} IPVS is not active, so that the range is not used now.`
}

const knownWords: ReadonlyMap<string | undefined, string> = new Map([
  ['eks-api', 'the EKS API returned it'],
  ['probe', 'the API server returned it'],
  ['flag', 'it was given'],
] satisfies [Known, string][])

/** An earlier rollout recorded the source of the range at that time. */
function said({ object, value: text = '', at }: Evidence, cluster: ClusterFacts): string {
  const value = object !== apiServer && text.length > 60 ? `${text.slice(0, 60)}…` : text
  if (object === apiServer) return `it answered ${value}`
  if (object.startsWith('Service/')) return `${object} has node port ${value}`
  if (object.startsWith('Lease/')) {
    const where = valueOf(cluster.state.rollout)?.annotations[`${ours}where`] ?? ''
    return `a rollout of this tool had the target ${value}${asKnown(/"known":"([a-z-]+)"/.exec(where)?.[1])}`
  }
  const mine = felixObject(cluster, felixName(object) ?? '')
  if (!mine || at === undefined) return `${object} says ${value}`
  return `${object} says ${value}, written by this tool at ${at}${asKnown(changeMark(mine)?.known)}`
}

const asKnown = (known: string | undefined): string => {
  const words = knownWords.get(known)
  return words ? ` (the range as ${words})` : ''
}
