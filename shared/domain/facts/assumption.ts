import type { ClusterState, FelixObject } from '../cluster.ts'
import type { NodeFacts } from './facts.ts'
import { isNone, objectName } from '../felix/layer.ts'
import { parsePortList, type PortRange, sameRanges } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { Evidence, ServiceRange } from '../report.ts'
import { changedAtKey, lease, ours, rangeAnnotation } from '../rollout/annotations.ts'
import { changeMark } from '../rollout/marks.ts'
import { rolloutIn } from '../rollout/parse.ts'

/** The service range is assumed: it was neither read from EKS or the API server, nor given. */
export const isAssumed = (range: ServiceRange | undefined): boolean => range?.source === 'default'

/** The calls that describe a cluster of EKS. They are not needed if the range is known from another source. */
export const isOfEks = (object: string): boolean =>
  ['eks:DescribeCluster', 'eks:ListClusters', 'sts:AssumeRole'].includes(object)

/** The range was read from the API server, or given. */
export const isGiven = (range: ServiceRange | undefined): boolean =>
  range?.source === 'probe' || range?.source === 'flag'

/**
 * What contradicts an assumed service range: values that somebody set, in any layer and whether Felix reads them or
 * not; the target of an earlier rollout of this tool; and a probe of the API server without a result. Ports in use
 * outside the range are checked elsewhere.
 */
export function objectionsTo({ min, max }: ServiceRange, state: ClusterState, nodes: readonly NodeFacts[]): Evidence[] {
  const assumed = [{ min, max }]
  const found = [
    ...nodes.flatMap(setOn),
    // The same values again, now with the entries of our own writes.
    ...(valueOf(state.felix)?.objects ?? []).flatMap(setIn),
    ...recorded(state),
  ].filter(({ value = '' }) => value !== '' && !means(value, assumed))
  return [...refusedProbe(state), ...new Map(found.map((it) => [`${it.object} ${it.field} ${it.value}`, it])).values()]
}

/** The API server was probed for the range and did not answer: then no range is assumed. */
const refusedProbe = ({ probeFailure }: ClusterState): Evidence[] =>
  probeFailure ? [{ object: apiServer, field: 'probe', value: probeFailure.message }] : []

export const apiServer = 'kube-apiserver'

/** Parses leniently: a text that Felix rejects can still show the intended range. */
function means(text: string, assumed: readonly PortRange[]): boolean {
  if (isNone(text)) return false
  const parsed = parsePortList(text.replaceAll(/[\s"[\]]/g, '').replaceAll('-', ':'))
  return parsed.ok && sameRanges(parsed.ranges, assumed)
}

function setIn(object: FelixObject): Evidence[] {
  const { annotations, name, spec } = object
  const at = annotations[changedAtKey]
  const mine = changeMark(object) && at !== undefined ? { at } : {}
  const keys = Object.keys(annotations).filter((key) => key.toLowerCase() === rangeAnnotation.toLowerCase())
  const items = spec['kubeNodePortRanges']
  return [
    ...keys.map((key) => ({
      object: objectName(name),
      field: `metadata.annotations[${key}]`,
      value: annotations[key] ?? '',
      ...mine,
    })),
    ...(Array.isArray(items)
      ? [{ object: objectName(name), field: 'spec.kubeNodePortRanges', value: items.join(',') || 'none' }]
      : []),
  ]
}

/** Values from the environment, and from the copy of an object's metadata. */
const setOn = ({ index, felixNode }: NodeFacts): Evidence[] =>
  (index && felixNode ? index.rangeLayers(felixNode) : [])
    .filter(({ kind }) => kind !== 'spec')
    .map(({ object, field, raw = '' }) => ({ object, ...(field !== undefined && { field }), value: raw }))

/** An aborted rollout does not contradict the assumption: its value was removed. */
function recorded(state: ClusterState): Evidence[] {
  const rollout = rolloutIn(state)
  if (rollout?.target === undefined || rollout.state === 'aborted' || rollout.state === 'aborting') return []
  const { target: value, finishedAt, startedAt } = rollout
  const time = finishedAt ?? startedAt
  const object = `Lease/${lease.namespace}/${lease.name}`
  return [{ object, field: `metadata.annotations[${ours}target]`, value, at: time }]
}
