import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import { failed, read, type Read } from '../../shared/domain/read.ts'
import type { ServiceRange } from '../../shared/domain/report.ts'
import { requestLimits } from './request-limits.ts'

/**
 * Larger than any port, so every server rejects it. A valid port would be accepted, because a dry run does not check
 * the range.
 */
const impossiblePort = 777777
const services = '/api/v1/namespaces/default/services'
const name = 'calico-ipvs-sync-probe'

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type: 'NodePort', ports: [{ port: 80, nodePort: impossiblePort }] },
}

const removed = `${services}/${name}`
const leftBehind = `Service default/${name} could not be deleted again; delete it manually`

/**
 * Reads the API server's node-port range with a Service that it must reject: the error message contains the range.
 * Nothing is created. `undefined`: the server did not answer, which the observation of the cluster reports.
 */
export const probeRange = async (connection: KubeConnection): Promise<Read<ServiceRange> | undefined> => {
  const [{ kubeHttp }, { failureFrom }] = await Promise.all([
    import('../../shared/clients/kube/http.ts'),
    import('../../shared/clients/kube/refusal.ts'),
  ])
  const http = kubeHttp(connection, requestLimits)
  const refused = (error: unknown) => failureFrom(error, 'kube-apiserver')
  const attempt = (method: 'POST' | 'DELETE', path: string, body?: object) =>
    http.json({ method, path, ...(body && { body }) }).then(() => undefined, refused)
  try {
    const refusal = await attempt('POST', services, service)
    if (!refusal) return notTold((await attempt('DELETE', removed)) ? leftBehind : 'it accepted an invalid port')
    if (refusal.kind === 'unreachable' || refusal.kind === 'unauthenticated') return undefined
    return rangeIn(refusal.message) ?? failed(refusal)
  } finally {
    http.close()
  }
}

const rangeIn = (refusal: string): Read<ServiceRange> | undefined => {
  const [, min, max] = (/The range of valid ports is (\d+)-(\d+)/.exec(refusal) ?? []).map(Number)
  return min === undefined || max === undefined ? undefined : read({ min, max, source: 'probe' })
}

const notTold = (message: string): Read<never> => failed({ kind: 'malformed', object: 'kube-apiserver', message })
