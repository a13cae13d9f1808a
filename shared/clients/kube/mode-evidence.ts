import type { Mode } from '../../domain/report.ts'
import { KubeError } from '../../errors.ts'
import { type Foreign, objectOf, objectsOf, oneLine, textOf, timeOf } from '../foreign.ts'
import type { LoggingPod, ModeSaid } from './client.ts'
import type { KubeHttp } from './http.ts'

/** Events about objects without a namespace, such as nodes, are in `default`. */
const eventsPath = '/api/v1/namespaces/default/events'

/**
 * Events that kube-proxy emits at its start in IPVS mode, because the mode is deprecated (Kubernetes 1.35 and later).
 * They are kept for an hour and may be lost, so one page is enough: their absence proves nothing.
 */
export async function ipvsDeprecations(http: KubeHttp): Promise<ModeSaid[]> {
  const query = { fieldSelector: 'reason=IPVSDeprecation', limit: '500' }
  const answer = objectOf(await http.json({ method: 'GET', path: eventsPath, query }))
  return objectsOf(answer['items']).flatMap((event) => {
    const about = objectOf(event['involvedObject'])
    const node = about['kind'] === 'Node' ? textOf(about['name']) : undefined
    const at = lastSeen(event)
    return node === undefined || at === undefined ? [] : [{ node, mode: 'ipvs', at }]
  })
}

/** A repeated Event is counted in `series`; older recorders write `lastTimestamp` instead of `eventTime`. */
const lastSeen = (event: Foreign): string | undefined =>
  [objectOf(event['series'])['lastObservedTime'], event['lastTimestamp'], event['eventTime']]
    .map(timeOf)
    .find((time) => time !== undefined)

const modes: readonly string[] = ['iptables', 'ipvs', 'nftables'] satisfies Mode[]
const isMode = (text: string): text is Mode => modes.includes(text)

/** Longer than any mode: an answer of another server on that port is not read completely. */
const answerBytes = 256

/** kube-proxy's own answer, through the API server's proxy to the pod. */
export async function proxyMode(http: KubeHttp, { namespace, name }: LoggingPod, port: number): Promise<Mode> {
  const pod = `${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}:${port}`
  let said = ''
  const consume = (piece: Buffer) => {
    said += piece.toString('latin1', 0, answerBytes)
    return said.length < answerBytes
  }
  await http.stream({ method: 'GET', path: `/api/v1/namespaces/${pod}/proxy/proxyMode`, accept: '*/*', consume })
  const mode = said.trim()
  if (isMode(mode)) return mode
  throw new KubeError('malformed', `The server on port ${port} is not kube-proxy: ${oneLine(http.hide(said), 80)}`)
}
