import type { Manager, Manifest, Stored } from '../../domain/grant/objects.ts'
import { failed, type Read, type ReadFailure, read } from '../../domain/read.ts'
import { fieldManager } from '../../domain/rollout/annotations.ts'
import { KubeError } from '../../errors.ts'
import { isObject, objectOf, textOf } from '../foreign.ts'
import type { KubeHttp } from './http.ts'
import { failureFrom } from './refusal.ts'

/** Objects of manifests: on the server, and as the result of a dry run. */
export interface Manifests {
  /** `undefined` inside: it does not exist. */
  find: (manifest: Manifest) => Promise<Read<Stored | undefined>>
  isNamespace: (name: string) => Promise<Read<boolean>>
  /** Server-side apply without force. Dry run: the server validates everything and stores nothing. */
  apply: (manifest: Manifest, options: { dryRun: boolean }) => Promise<Applied>
  /** `conflict`, without a change, if UID or version have changed. */
  remove: (
    manifest: Manifest,
    preconditions: { uid: string; resourceVersion: string },
  ) => Promise<ReadFailure | undefined>
}

export type Applied =
  | { stored: Stored }
  /** Other field managers own fields with other values. */
  | { heldBy: string[] }
  /** The server knows no objects of this kind. */
  | { unknown: true }
  | { failure: ReadFailure }

export const manifests = (http: KubeHttp): Manifests => ({
  find: async (manifest) => {
    try {
      return read(storedOf(await http.json({ method: 'GET', path: pathOf(manifest) })))
    } catch (error) {
      return isGone(error) ? read(undefined) : failed(failureFrom(error, nameOf(manifest)))
    }
  },
  isNamespace: async (name) => {
    try {
      await http.json({ method: 'GET', path: `/api/v1/namespaces/${encodeURIComponent(name)}` })
      return read(true)
    } catch (error) {
      return isGone(error) ? read(false) : failed(failureFrom(error, `Namespace/${name}`))
    }
  },
  apply: async (manifest, { dryRun }) => {
    const query = { fieldManager, fieldValidation: 'Strict', force: 'false', dryRun: dryRun ? 'All' : undefined }
    const request = { method: 'PATCH', path: pathOf(manifest), body: manifest } as const
    try {
      return { stored: storedOf(await http.json({ ...request, query, contentType: 'application/apply-patch+yaml' })) }
    } catch (error) {
      if (isGone(error)) return { unknown: true }
      if (error instanceof KubeError && error.kind === 'conflict') return { heldBy: managersIn(error.message) }
      return { failure: failureFrom(error, nameOf(manifest)) }
    }
  },
  remove: async (manifest, preconditions) => {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
    try {
      await http.json({ method: 'DELETE', path: pathOf(manifest), body })
      return undefined
    } catch (error) {
      return isGone(error) ? undefined : failureFrom(error, nameOf(manifest))
    }
  },
})

const isGone = (error: unknown): boolean => error instanceof KubeError && error.kind === 'not-found'

const nameOf = ({ kind, metadata: { name } }: Manifest): string => `${kind}/${name}`

/** `/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles/NAME` */
const pathOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): string => {
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`
  const within = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`
  return `/apis/${apiVersion}/${within}${plural.toLowerCase()}/${encodeURIComponent(name)}`
}

/** `Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .rules` */
const managersIn = (message: string): string[] => {
  const found = [...message.matchAll(/conflicts? with "([^"]{1,100})"/g)].map(([, name = '']) => name)
  return found.length > 0 ? [...new Set(found)] : ['somebody else']
}

const storedOf = (answer: unknown): Stored => {
  if (!isObject(answer) || !isObject(answer['metadata']))
    throw new KubeError('malformed', 'The server answered without the object.')
  const { metadata, apiVersion: _version, kind: _kind, status: _status, ...content } = answer
  const of = objectOf(metadata)
  return {
    uid: textOf(of['uid']) ?? '',
    resourceVersion: textOf(of['resourceVersion']) ?? '',
    content,
    managers: managersOf(of['managedFields']),
    isGoing: of['deletionTimestamp'] !== undefined,
  }
}

/** For the content: managers of labels, annotations or status only are ignored. */
const managersOf = (entries: unknown): Manager[] =>
  (Array.isArray(entries) ? entries : []).map(objectOf).flatMap((entry) => {
    const fields = Object.keys(objectOf(entry['fieldsV1'])).filter((field) => field !== 'f:metadata')
    if (textOf(entry['subresource']) || fields.length === 0) return []
    return [{ name: textOf(entry['manager']) ?? 'somebody', applies: entry['operation'] === 'Apply' }]
  })
