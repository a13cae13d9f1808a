import type { FelixConfigurations, FelixObject, InstallationState } from '../../domain/cluster.ts'
import { failed, type Read, type ReadFailure, read } from '../../domain/read.ts'
import type { CalicoApi } from '../../domain/report.ts'
import { ours } from '../../domain/rollout/annotations.ts'
import { KubeError } from '../../errors.ts'
import { exactTextMapOf, type Foreign, objectOf, present, textOf, textsOf, timeOf } from '../foreign.ts'
import type { KubeHttp } from './http.ts'
import { list } from './list.ts'
import { managedFieldsOf, metadataOf } from './metadata.ts'
import { failureFrom } from './refusal.ts'

const v3 = 'projectcalico.org/v3'
const v1 = 'crd.projectcalico.org/v1'
const object = 'FelixConfigurations'

export const felixPath = (api: CalicoApi, name?: string): string =>
  `/apis/${api}/felixconfigurations${name === undefined ? '' : `/${encodeURIComponent(name)}`}`

export function felixOf(it: Foreign): FelixObject {
  const { name, uid, resourceVersion, createdAt, labels, annotations } = metadataOf(it)
  const metadata = objectOf(it['metadata'])
  const [deletedAt, finalizers] = [timeOf(metadata['deletionTimestamp']), textsOf(metadata['finalizers'])]
  const held = { ...(deletedAt !== undefined && { deletedAt }), ...(finalizers.length > 0 && { finalizers }) }
  const common = { name, uid, resourceVersion, createdAt, ...held, labels, annotations }
  return { ...common, spec: objectOf(it['spec']), managedFields: managedFieldsOf(it) }
}

/**
 * Objects that were written through Calico's API server have other annotations only in the copy of the metadata: also
 * ours.
 */
function storedFelixOf(it: Foreign): FelixObject {
  const object = felixOf(it)
  const marks = Object.entries(annotationsInCopy(object)).filter(([key]) => key.startsWith(ours))
  return marks.length === 0
    ? object
    : { ...object, annotations: { ...Object.fromEntries(marks), ...object.annotations } }
}

function annotationsInCopy({ annotations }: FelixObject): Record<string, string> {
  try {
    return exactTextMapOf(objectOf(JSON.parse(annotations['projectcalico.org/metadata'] ?? '{}'))['annotations'])
  } catch {
    return {}
  }
}

/**
 * The aggregated API validates and returns the effective objects, so it is preferred. If it is down (5xx), the stored
 * objects are read instead, for the assessment only. If it denies access, the other API is not used, because it would
 * not be used for a write either.
 */
export async function felixConfigurations(http: KubeHttp, apis: readonly string[]): Promise<Read<FelixConfigurations>> {
  if (!apis.includes(v3)) return apis.includes(v1) ? through(http, v1) : failed(missing())
  const first = await through(http, v3)
  if ('value' in first && isNative(apis)) return read({ ...first.value, nativeV3: true })
  if ('value' in first || !apis.includes(v1) || !isDown(first.failure)) return first
  const raw = await through(http, v1)
  return 'value' in raw ? read({ ...raw.value, v3Failure: first.failure }) : raw
}

/**
 * v3 without v1 means CRDs of v3 and no Calico API server (libcalico-go/lib/backend/k8s/discovery.go). Only a list of
 * all served APIs shows this: a caller may pass a single API.
 */
const isNative = (apis: readonly string[]): boolean => apis.includes('apiextensions.k8s.io/v1') && !apis.includes(v1)

const isDown = ({ kind }: ReadFailure) => kind === 'unavailable' || kind === 'unreachable' || kind === 'malformed'

async function through(http: KubeHttp, api: CalicoApi): Promise<Read<FelixConfigurations>> {
  try {
    return read({ api, objects: await list(http, felixPath(api), {}, api === v1 ? storedFelixOf : felixOf) })
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'not-found') return failed(missing(api))
    return failed(failureFrom(error, object))
  }
}

/** Distinguished from "no objects": without the CRDs it is not known what Felix reads. */
const missing = (api?: CalicoApi): ReadFailure => ({
  kind: 'unavailable',
  object,
  status: 404,
  message: api
    ? `${api} does not serve FelixConfigurations.`
    : 'The cluster serves neither of Calico’s APIs: its CustomResourceDefinitions are not installed.',
})

/** Stored once and readable raw, also while the aggregated API is down. */
export function calicoPath(apis: readonly string[], resource: string): string | undefined {
  const api = [v1, v3].find((candidate) => apis.includes(candidate))
  return api && `/apis/${api}/${resource}`
}

export const calicoVersionOf = (clusterInformation: Foreign): { calicoVersion?: string } =>
  present<{ calicoVersion?: string }>({
    calicoVersion: textOf(objectOf(clusterInformation['spec'])['calicoVersion']) || undefined,
  })

export function installationOf(it: Foreign): InstallationState {
  const spec = objectOf(it['spec'])
  return present<InstallationState>({
    calicoVersion: textOf(objectOf(it['status'])['calicoVersion']) || undefined,
    linuxDataplane: textOf(objectOf(spec['calicoNetwork'])['linuxDataplane']),
    cniType: textOf(objectOf(spec['cni'])['type']),
    variant: textOf(spec['variant']),
    annotations: metadataOf(it).annotations,
  })
}
