import type { Mode } from '../../domain/report.ts'
import { KubeError } from '../../errors.ts'
import { type Foreign, objectOf, objectsOf, oneLine, textOf, timeOf } from '../foreign.ts'
import type { LoggingPod, ModeSaid } from './client.ts'
import type { KubeHttp } from './http.ts'

/** Events about what has no namespace, such as nodes, are in `default`. */
const eventsPath = '/api/v1/namespaces/default/events'

/**
 * The Events in which kube-proxy says, at its start in IPVS mode, that this mode goes away (Kubernetes 1.35 and later).
 * They are kept for an hour and many never arrive, so that one page is enough: none proves nothing.
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

/** An Event that came again is counted up in `series`; older recorders write `lastTimestamp` instead of `eventTime`. */
const lastSeen = (event: Foreign): string | undefined =>
  [objectOf(event['series'])['lastObservedTime'], event['lastTimestamp'], event['eventTime']]
    .map(timeOf)
    .find((time) => time !== undefined)

const modes: readonly string[] = ['iptables', 'ipvs', 'nftables'] satisfies Mode[]
const isMode = (text: string): text is Mode => modes.includes(text)

/** Longer than any mode: a page of somebody else's server on that port is not read to its end. */
const answerBytes = 256

/** kube-proxy's own answer, which the API server fetches from the pod. */
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
  throw new KubeError('malformed', `What listens on port ${port} is not kube-proxy: ${oneLine(http.hide(said), 80)}`)
}
