import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { FelixWarning } from '../felix/values.ts'
import type { NodeCheck, Trouble } from './checks.ts'
import { changeOf } from './range.ts'
import { specRanges, text, warningEvidence } from './range-layers.ts'
import { felixName, felixObject, kubectl, onFelix } from './remedy.ts'
import { quoted } from '../shell.ts'
import type { Evidence } from '../report.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'

const isRange = ({ parameter }: { parameter?: string }): boolean =>
  parameter === undefined || parameter === 'KubeNodePortRanges'
const isMask = (parameter: string | undefined): boolean => parameter?.endsWith('MarkMask') === true

/** Felix cannot read the object, or uses one of several values at random. Only a person can fix this. */
export const rangeInvalid: NodeCheck = (it, cluster) => {
  const { felix } = it
  if (!felix) return []
  const mine = felix.warnings.filter(isRange)
  const found = mine.flatMap((warning): Trouble[] => {
    if (warning.kind === 'ambiguous') return [ambiguous(warning, cluster)]
    if (warning.kind === 'vast') return [vast(warning, it, cluster)]
    if (warning.kind === 'undecodable') return [undecodable([warning], warning.message, cluster)]
    return warning.kind === 'invalid' && warning.decides && !isIgnoredSpec(warning, cluster)
      ? [refused(warning, it, cluster)]
      : []
  })
  if (felix.outcome !== 'error' || isMask(felix.parameter)) return found
  return [...found, undecodable(felix.places ?? felix.objects.map((object) => ({ object })), felix.message, cluster)]
}

/** A well-formed spec has another finding (RANGE_SPEC_IGNORED). */
const isIgnoredSpec = ({ field, object }: FelixWarning, cluster: ClusterFacts): boolean =>
  field?.startsWith('spec.') === true && specRanges(object, cluster) !== undefined

function edit(cluster: ClusterFacts, object: string): string {
  const name = felixName(object)
  return name === undefined ? `Fix ${object}.` : `${kubectl(cluster)} edit ${onFelix(cluster, name)}`
}

/** Felix may accept the value. */
const vast = (warning: FelixWarning, it: NodeFacts, cluster: ClusterFacts): Trouble => ({
  code: 'RANGE_INVALID',
  severity: it.ipvs === 'no' ? 'info' : 'warning',
  breaks: false,
  subject: warning.object,
  message: `The range in ${warning.object} cannot be evaluated: ${warning.message}.`,
  evidence: [warningEvidence(warning)],
  remedy: `Check it, and write the intended ranges; adjacent ports as one range:\n${edit(cluster, warning.object)}`,
})

const refused = (warning: FelixWarning, it: NodeFacts, cluster: ClusterFacts): Trouble => ({
  code: 'RANGE_INVALID',
  severity: it.ipvs === 'no' ? 'info' : 'warning',
  breaks: false,
  subject: warning.object,
  message: `Felix rejects the range in ${warning.object} and uses ${text(it.values.effectiveRange ?? [{ min: 30000, max: 32767 }])} instead: ${warning.message}`,
  evidence: [warningEvidence(warning)],
  remedy:
    cluster.desired && warning.object.startsWith('FelixConfiguration/')
      ? changeOf(felixName(warning.object) ?? '', it, cluster)
      : edit(cluster, warning.object),
})

function ambiguous(warning: FelixWarning, cluster: ClusterFacts): Trouble {
  const keys = spellings(warning.object, cluster)
  const surplus = keys.filter((key) => key !== rangeAnnotation)
  const name = felixName(warning.object)
  return {
    code: 'RANGE_INVALID',
    severity: warning.decides ? 'critical' : 'warning',
    breaks: warning.decides,
    subject: warning.object,
    message: `${warning.object} has the range in two spellings, and Felix uses one at random, possibly another at its next start.`,
    evidence: keys.length > 0 ? keys.map((key) => spelled(warning.object, key, cluster)) : [warningEvidence(warning)],
    remedy:
      name === undefined || surplus.length === 0
        ? edit(cluster, warning.object)
        : `${kubectl(cluster)} annotate ${onFelix(cluster, name)} ${surplus.map((key) => quoted(`${key}-`)).join(' ')}`,
  }
}

const spellings = (object: string, cluster: ClusterFacts): string[] =>
  Object.keys(felixObject(cluster, felixName(object) ?? '')?.annotations ?? {}).filter(
    (key) => key.toLowerCase() === rangeAnnotation.toLowerCase(),
  )

const spelled = (object: string, key: string, cluster: ClusterFacts): Evidence => ({
  object,
  field: `metadata.annotations[${key}]`,
  value: felixObject(cluster, felixName(object) ?? '')?.annotations[key] ?? '',
})

const undecodable = (
  places: readonly Pick<FelixWarning, 'object' | 'field' | 'raw'>[],
  message: string,
  cluster: ClusterFacts,
): Trouble => ({
  code: 'RANGE_INVALID',
  severity: 'critical',
  breaks: true,
  subject: places[0]?.object ?? 'cluster',
  message,
  evidence: places.map(warningEvidence),
  remedy: edit(cluster, places[0]?.object ?? 'cluster'),
})
