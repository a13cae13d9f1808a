import { type Fieldful, type KubeObject, listAt, recordAt, textAt } from './object.ts'
import type { Page } from './paging.ts'
import { metadataOnly } from './representation.ts'
import type { Resource } from './resources.ts'

/** Columns of `kubectl get`: a heading and what stands below it. */
type Columns = [heading: string, cell: (object: KubeObject) => string | number][]

/** Whether the client prefers the form `kubectl get` prints. */
export const wantsTable = (accept: string): boolean => /as=Table;/.test(accept)

export function tableOf(resource: Resource, page: Page, now: Date): Fieldful {
  const columns: Columns = [
    ['Name', ({ metadata }) => metadata.name],
    ...(columnsByResource[resource.plural] ?? []),
    ['Age', ({ metadata }) => ageOf(metadata.creationTimestamp, now)],
  ]
  const { continue: next, remainingItemCount, resourceVersion } = page
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next, remainingItemCount }) },
    columnDefinitions: columns.map(([name]) => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: 0,
    })),
    rows: page.items.map((object) => ({
      cells: columns.map(([, cell]) => cell(object)),
      object: metadataOnly(object),
    })),
  }
}

const isReady = (node: KubeObject): boolean =>
  listAt(node, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
  )

const text = (value: unknown): string => (typeof value === 'number' || typeof value === 'string' ? String(value) : '')

const count = (object: KubeObject, field: string): string => text(recordAt(object, 'status')[field] ?? 0)

const columnsByResource: Record<string, Columns> = {
  pods: [
    ['Ready', (pod) => readyContainers(pod)],
    ['Status', (pod) => phaseOf(pod)],
    ['Restarts', (pod) => restarts(pod)],
    ['Node', (pod) => textAt(pod, 'spec', 'nodeName') ?? '<none>'],
  ],
  daemonsets: [
    ['Desired', (daemonSet) => count(daemonSet, 'desiredNumberScheduled')],
    ['Current', (daemonSet) => count(daemonSet, 'currentNumberScheduled')],
    ['Ready', (daemonSet) => count(daemonSet, 'numberReady')],
    ['Up-to-date', (daemonSet) => count(daemonSet, 'updatedNumberScheduled')],
    ['Available', (daemonSet) => count(daemonSet, 'numberAvailable')],
  ],
  nodes: [
    ['Status', (node) => (isReady(node) ? 'Ready' : 'NotReady')],
    ['Version', (node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? ''],
  ],
  namespaces: [['Status', (namespace) => textAt(namespace, 'status', 'phase') ?? '']],
  configmaps: [['Data', (configMap) => String(Object.keys(recordAt(configMap, 'data')).length)]],
  services: [
    ['Type', (service) => textAt(service, 'spec', 'type') ?? ''],
    ['Cluster-IP', (service) => textAt(service, 'spec', 'clusterIP') ?? '<none>'],
    ['Port(s)', (service) => portsOf(service)],
  ],
}

const containersOf = (pod: KubeObject): Fieldful[] =>
  listAt(pod, 'status', 'containerStatuses').map((status) => recordAt(status))

const readyContainers = (pod: KubeObject): string =>
  `${containersOf(pod).filter(({ ready }) => ready === true).length}/${listAt(pod, 'spec', 'containers').length}`

const restarts = (pod: KubeObject): string =>
  String(containersOf(pod).reduce((sum, { restartCount }) => sum + Number(restartCount), 0))

function phaseOf(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating'
  const waiting = containersOf(pod).map((status) => textAt(status, 'state', 'waiting', 'reason'))
  return waiting.find((reason) => reason !== undefined) ?? textAt(pod, 'status', 'phase') ?? ''
}

const portsOf = (service: KubeObject): string =>
  listAt(service, 'spec', 'ports')
    .map((port) => {
      const { nodePort, port: inside, protocol } = recordAt(port)
      return `${text(inside)}${nodePort === undefined ? '' : `:${text(nodePort)}`}/${text(protocol)}`
    })
    .join(',')

/** As kubectl writes it, in the largest unit alone. */
function ageOf(created: string | undefined, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(created ?? now.toISOString())) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}
