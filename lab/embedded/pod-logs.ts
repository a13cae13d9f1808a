import { readFileSync } from 'node:fs'
import type { Context } from './context.ts'
import { type KubeObject, listAt, recordAt, textAt } from './object.ts'
import { badRequest } from './status.ts'

/**
 * A pod's log as KWOK serves it: from the file of its `Logs` object, else of the `ClusterLogs` that covers its
 * namespace (CRI format: time, stream, `F`, line). A pod without either has an empty log.
 */
export function podLog(context: Context, pod: KubeObject, query: URLSearchParams): string {
  const container = containerOf(pod, query.get('container') ?? '')
  const file = logFileOf(context, pod, container)
  const lines = file === undefined ? [] : linesOf(file, query.get('timestamps') === 'true')
  const tail = query.get('tailLines')
  const kept = tail === null ? lines : Number(tail) === 0 ? [] : lines.slice(-Number(tail))
  const text = kept.map((line) => `${line}\n`).join('')
  const limit = query.get('limitBytes')
  return limit === null ? text : Buffer.from(text).subarray(0, Number(limit)).toString()
}

function containerOf(pod: KubeObject, asked: string): string {
  const names = ['containers', 'initContainers'].flatMap((field) =>
    listAt(pod, 'spec', field).map((container) => textAt(container, 'name') ?? ''),
  )
  const own = listAt(pod, 'spec', 'containers').map((container) => textAt(container, 'name') ?? '')
  const { name } = pod.metadata
  if (asked !== '') {
    if (names.includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  if (own.length === 1) return own[0] ?? ''
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (preferred !== undefined && own.includes(preferred)) return preferred
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${own.join(' ')}]`)
}

function logFileOf(context: Context, pod: KubeObject, container: string): string | undefined {
  const { name, namespace = '' } = pod.metadata
  const own = objectsOf(context, 'Logs').filter(
    ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
  )
  const covering = objectsOf(context, 'ClusterLogs').filter((logs) =>
    covers(recordAt(logs, 'spec', 'selector'), name, namespace),
  )
  for (const logs of [...own, ...covering]) {
    const entry = listAt(logs, 'spec', 'logs').find((item) => {
      const containers = listAt(item, 'containers')
      return containers.length === 0 || containers.includes(container)
    })
    const file = textAt(entry, 'logsFile')
    if (file !== undefined) return file
  }
  return undefined
}

function covers(selector: Record<string, unknown>, name: string, namespace: string): boolean {
  const { matchNames, matchNamespaces } = selector
  const allows = (list: unknown, value: string) => !Array.isArray(list) || list.length === 0 || list.includes(value)
  return allows(matchNames, name) && allows(matchNamespaces, namespace)
}

function objectsOf({ registry, store }: Context, kind: string): KubeObject[] {
  const resource = registry.byKind('kwok.x-k8s.io', kind)
  return resource === undefined ? [] : (store.list(resource) ?? []).map(([, object]) => object)
}

function linesOf(file: string, withTimes: boolean): string[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  return lines.map((line) => {
    const [, time, text] = /^(\S+) \S+ [FP] ?(.*)$/.exec(line) ?? []
    if (time === undefined) return line
    return withTimes ? `${time} ${text}` : (text ?? '')
  })
}
