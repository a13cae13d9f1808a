import { fieldManager } from '../../domain/rollout/annotations.ts'
import { KubeError } from '../../errors.ts'
import { isObject, objectOf } from '../foreign.ts'
import { felixOf, felixPath } from './calico.ts'
import type { Access, KubeClient, WriteOptions } from './client.ts'
import type { KubeHttp } from './http.ts'
import { leaseOf, leaseRequest } from './lease.ts'

const mergePatch = 'application/merge-patch+json'
/** Strict: an unknown field is an error and is not silently dropped. */
const writing = ({ dryRun }: WriteOptions = {}) => ({
  fieldManager,
  fieldValidation: 'Strict',
  dryRun: dryRun ? 'All' : undefined,
})

type Writes = Pick<KubeClient, 'putLease' | 'createFelix' | 'patchFelix' | 'deleteFelix' | 'deletePod'>

export function kubeWrites(http: KubeHttp): Writes {
  return {
    putLease: async (change) => {
      const request = leaseRequest(change)
      const contentType = request.method === 'PATCH' ? mergePatch : 'application/json'
      return leaseOf(written(await http.json({ ...request, contentType, query: writing() })))
    },
    createFelix: async (api, { name, labels, annotations, spec }, options) => {
      const metadata = { name, ...(labels && { labels }), ...(annotations && { annotations }) }
      const body = { apiVersion: api, kind: 'FelixConfiguration', metadata, spec }
      return felixOf(written(await http.json({ method: 'POST', path: felixPath(api), body, query: writing(options) })))
    },
    patchFelix: async (api, { name, resourceVersion, metadata, spec }, options) => {
      const body = { metadata: { ...metadata, resourceVersion }, ...(spec && { spec }) }
      const request = { method: 'PATCH', path: felixPath(api, name), body, contentType: mergePatch } as const
      return felixOf(written(await http.json({ ...request, query: writing(options) })))
    },
    deleteFelix: (api, { name, uid, resourceVersion }) => remove(http, felixPath(api, name), { uid, resourceVersion }),
    deletePod: async ({ namespace, name, uid }) => {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
      return remove(http, path, { uid }).catch((error: unknown) => {
        // The only precondition is the UID: another pod has this name now.
        if (error instanceof KubeError && error.kind === 'conflict') return false
        throw error
      })
    },
  }
}

async function remove(http: KubeHttp, path: string, preconditions: object): Promise<boolean> {
  try {
    await http.json({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions } })
    return true
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'not-found') return false
    throw error
  }
}

export async function accessReview(http: KubeHttp, access: Access): Promise<boolean> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: access },
  }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const review = written(await http.json({ method: 'POST', path, body }))
  return objectOf(review['status'])['allowed'] === true
}

function written(answer: unknown): Record<string, unknown> {
  if (isObject(answer) && isObject(answer['metadata'])) return answer
  if (isObject(answer) && isObject(answer['status'])) return answer
  throw new KubeError(
    'malformed',
    'The server answered a write without the object. Read it again to see what was stored.',
  )
}
