import type { KubeConnection } from '../shared/clients/connection.ts'
import type { ServiceRange } from '../shared/domain/report.ts'
import { Failure } from './failure.ts'
import type { Progress } from './progress.ts'

/** Beyond every port there is: no server can take it, and a plausible one would be taken (a dry run checks no ports). */
const impossiblePort = 777777
const services = '/api/v1/namespaces/default/services'
const name = 'calico-ipvs-sync-probe'

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type: 'NodePort', ports: [{ port: 80, nodePort: impossiblePort }] },
}

/**
 * Asks the API server for its node-port range by a Service it must refuse: the refusal names the range. Nothing is left
 * behind. `undefined`: the server did not answer at all, which the look at the cluster will tell.
 */
export const probeRange = async (connection: KubeConnection, telling: Progress): Promise<ServiceRange | undefined> => {
  const [{ kubeHttp }, { KubeError }] = await Promise.all([
    import('../shared/clients/kube-http.ts'),
    import('../shared/errors.ts'),
  ])
  const http = kubeHttp(connection)
  try {
    await http.json({ method: 'POST', path: services, body: service })
    await http.json({ method: 'DELETE', path: `${services}/${name}` })
    telling.done(`The API server took node port ${impossiblePort}; Service default/${name} was removed again.`)
    throw notTold('it took a port that does not exist')
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    if (error.kind === 'unreachable' || error.kind === 'unauthenticated') return undefined
    return rangeIn(error.message)
  } finally {
    http.close()
  }
}

const rangeIn = (refusal: string): ServiceRange => {
  const [, min, max] = (/The range of valid ports is (\d+)-(\d+)/.exec(refusal) ?? []).map(Number)
  if (min === undefined || max === undefined) throw notTold(refusal)
  return { min, max, source: 'probe' }
}

const notTold = (why: string): Failure =>
  new Failure(
    `The API server did not tell its node-port range: ${why}`,
    'give the range with --service-node-port-range MIN-MAX, or allow "create services" in namespace default',
  )
