import type { DaemonSetState, EnvFrom, EnvVar, PodState } from '../../domain/cluster.ts'
import { exactTextOf, exactTextsOf, type Foreign, objectOf, objectsOf, present, textOf, timeOf } from '../foreign.ts'

type Role = PodState['role']
type Template = DaemonSetState['template']

/** `602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.33.3` → `eks/kube-proxy` without registry, tag and digest. */
export function repositoryOf(image: string): string {
  const parts = (image.split('@')[0] ?? '').split('/')
  if (parts.length > 1 && /[.:]|^localhost$/.test(parts[0] ?? '')) parts.shift()
  const name = parts.pop()?.split(':')[0] ?? ''
  return [...parts, name].join('/')
}

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1)
const commandOf = (container: Foreign) => [...exactTextsOf(container['command']), ...exactTextsOf(container['args'])]

/** Whether a container runs kube-proxy, by image or command, whatever its name. */
export const isKubeProxy = (container: Foreign): boolean =>
  baseName(repositoryOf(textOf(container['image']) ?? '')) === 'kube-proxy' ||
  commandOf(container)
    .slice(0, 2)
    .some((word) => /^kube-proxy$/.test(baseName(word)))

/** Calico's and Tigera's images: `calico/node`, `tigera/cnx-node`, and copies in other registries under these names. */
export const isCalicoNode = (container: Foreign): boolean =>
  container['name'] === 'calico-node' ||
  /(^|\/)(calico\/node|calico-node|cnx-node)$/.test(repositoryOf(textOf(container['image']) ?? ''))

export const isCalicoWindows = (container: Foreign): boolean =>
  /(^|\/)(calico\/(node-)?windows|cnx-(node-)?windows)$/.test(repositoryOf(textOf(container['image']) ?? ''))

/** The main container of the DaemonSet. */
export function mainContainer(podSpec: Foreign, role: Role): Foreign {
  const containers = objectsOf(podSpec['containers'])
  const does = { 'kube-proxy': isKubeProxy, 'calico-node': isCalicoNode, 'calico-node-windows': isCalicoWindows }[role]
  return containers.find(({ name }) => name === role) ?? containers.find(does) ?? containers[0] ?? {}
}

export function templateOf(template: Foreign, role: Role): Template {
  const spec = objectOf(template['spec'])
  const container = mainContainer(spec, role)
  return {
    image: textOf(container['image']) ?? '',
    command: commandOf(container),
    env: envOf(container),
    envFrom: envFromOf(container),
    configMapMounts: configMapMounts(container, spec),
    annotations: {},
  }
}

/** The flags of kube-proxy's command that affect its mode, each as one word; nothing else is kept. */
export function proxyFlags(container: Foreign): string[] {
  const words = commandOf(container).flatMap((it) => it.split(/\s+/))
  return words.flatMap((word, at) => {
    const [, name, value] = /^--(config|proxy-mode)(?:=(.*))?$/.exec(word) ?? []
    return name === undefined ? [] : [`--${name}=${value ?? words[at + 1] ?? ''}`]
  })
}

/** Felix matches names case-insensitively; other variables are not kept, because they may contain secrets. */
const counts = (name: string) => /^(felix|calico)_/i.test(name)

export function envOf(container: Foreign, wanted = counts): EnvVar[] {
  return objectsOf(container['env']).flatMap((entry) => {
    const name = textOf(entry['name'])
    if (name === undefined || !wanted(name)) return []
    const value = exactTextOf(entry['value'])
    return [
      present<EnvVar>({ name, value, from: value === undefined ? sourceOf(objectOf(entry['valueFrom'])) : undefined }),
    ]
  })
}

function sourceOf(valueFrom: Foreign): EnvVar['from'] {
  const reference = objectOf(valueFrom['configMapKeyRef'])
  const [configMap, key] = [textOf(reference['name']), textOf(reference['key'])]
  if (configMap !== undefined && key !== undefined) return { configMap, key, optional: reference['optional'] === true }
  const kind = Object.keys(valueFrom)[0]
  return kind === undefined ? undefined : { unknown: kind }
}

export function envFromOf(container: Foreign): EnvFrom[] {
  return objectsOf(container['envFrom']).flatMap((entry): EnvFrom[] => {
    const { prefix: before, configMapRef, ...others } = entry
    const reference = objectOf(configMapRef)
    const configMap = textOf(reference['name'])
    const prefix = textOf(before) ? { prefix: textOf(before) as string } : {}
    if (configMap !== undefined) return [{ configMap, optional: reference['optional'] === true, ...prefix }]
    return Object.keys(others).map((unknown) => ({ unknown, ...prefix }))
  })
}

/** `items`: by key, the path below `mountPath`; absent: every key under its own name. */
function configMapMounts(container: Foreign, spec: Foreign): Template['configMapMounts'] {
  const volumes = new Map(objectsOf(spec['volumes']).map((volume) => [volume['name'], volume]))
  return objectsOf(container['volumeMounts']).flatMap((mount) => {
    const mountPath = textOf(mount['mountPath'])
    const volume = volumes.get(mount['name'])
    if (mountPath === undefined || volume === undefined) return []
    return configMapsIn(volume).map((source) => mounted(mountPath, source, textOf(mount['subPath'])))
  })
}

function configMapsIn(volume: Foreign): { configMap: string; items?: Record<string, string> }[] {
  const projected = objectsOf(objectOf(volume['projected'])['sources']).map((source) => source['configMap'])
  return objectsOf([volume['configMap'], ...projected]).flatMap((source) => {
    const configMap = textOf(source['name'])
    const items = objectsOf(source['items']).map(({ key, path }) => [textOf(key) ?? '', textOf(path) ?? ''] as const)
    if (configMap === undefined) return []
    return [items.length === 0 ? { configMap } : { configMap, items: Object.fromEntries(items) }]
  })
}

/** A mount of one file (`subPath`) is represented as its folder with that one item. */
function mounted(mountPath: string, source: { configMap: string; items?: Record<string, string> }, subPath?: string) {
  if (subPath === undefined || subPath === '') return { mountPath, ...source }
  const key = Object.entries(source.items ?? {}).find(([, path]) => path === subPath)?.[0] ?? subPath
  const folder = mountPath.slice(0, mountPath.lastIndexOf('/')) || '/'
  return { mountPath: folder, configMap: source.configMap, items: { [key]: baseName(mountPath) } }
}

/** The state of the main container. */
export function containerStatus(
  pod: Foreign,
  name: string | undefined,
): Pick<PodState, 'startedAt' | 'waiting' | 'restartCount'> {
  const all = objectsOf(objectOf(pod['status'])['containerStatuses'])
  const status = all.find((it) => it['name'] === name) ?? {}
  const state = objectOf(status['state'])
  const restarts = status['restartCount']
  return present<Pick<PodState, 'startedAt' | 'waiting' | 'restartCount'>>({
    startedAt: timeOf(objectOf(state['running'])['startedAt']),
    waiting: textOf(objectOf(state['waiting'])['reason']),
    restartCount: typeof restarts === 'number' ? restarts : 0,
  })
}
