import type { ClusterState, ConfigMapState, DaemonSetState, ManagedFields } from '../cluster.ts'
import { addonMode } from './addon.ts'
import type { ReadFailure } from '../read.ts'
import { metricsPort } from './port.ts'
import { yamlOf } from './yaml.ts'
import { failureOf, valueOf } from '../read.ts'
import type { Evidence, Mode } from '../report.ts'

/** The configuration of one kube-proxy DaemonSet, where it is stored, and when it could have changed. */
export interface ProxyConfiguration {
  daemonSet: DaemonSetState
  /**
   * Absent if it is not known (`problem`) or kube-proxy would reject it; with `failure`, the mode of the EKS add-on.
   */
  mode?: Mode
  /** The source of the mode. */
  evidence: Evidence
  /**
   * Why there is no mode, or why it was not read from its source, as a sentence without its subject: `says "ipvsx",
   * which kube-proxy rejects`.
   */
  problem?: string
  failure?: ReadFailure
  /** A `--proxy-mode` that kube-proxy ignores because `--config` is given. */
  ignoredFlag?: string
  /** `file`: read when the process starts · `flag`: fixed when the pod is created. */
  takenBy: 'file' | 'flag'
  /** Known times at which it was written, ascending; the last is the mode's last possible change. Absent: not known. */
  changes?: string[]
  /**
   * The changes that can have changed a mode; not the first write, when kube-proxy was installed. `at` in
   * milliseconds.
   */
  modeChanges: { text: string; at: number }[]
  /** When the pods' template was last written, if known. */
  templateAt: string
  /** Never written again since kube-proxy was installed: no node can have seen another mode. */
  initial: boolean
  /** Bit numbers of kube-proxy's own mark (`iptables.masqueradeBit` counts in IPVS mode too). */
  masqueradeBit: number
  nftablesMasqueradeBit: number
  /** `iptables.masqueradeAll`, which counts in IPVS mode too: all Service traffic gets a node's address. */
  masqueradeAll?: true
  /** Where `/proxyMode` can be read from outside the node. Absent: only on the node itself, which is the default. */
  metricsPort?: number
}

interface ModeText {
  text: string
  evidence: Evidence
  masqueradeBit?: unknown
  nftablesMasqueradeBit?: unknown
  masqueradeAll?: unknown
  metricsBindAddress?: unknown
}

const modes: readonly string[] = ['iptables', 'ipvs', 'nftables'] satisfies Mode[]
export const isMode = (text: string): text is Mode => modes.includes(text)
const minutes = (count: number): number => count * 60_000

/**
 * One entry per kube-proxy DaemonSet; those for Windows nodes are left out. It parses YAML: call it once for a state
 * and pass on the result.
 */
export const configuredModes = (state: ClusterState): ProxyConfiguration[] =>
  (valueOf(state.daemonSets) ?? [])
    .filter((it) => it.role === 'kube-proxy' && it.nodeSelector?.['kubernetes.io/os'] !== 'windows')
    .map((daemonSet) => configuration(state, daemonSet))

/** The mode for which all of them are configured; undefined if they differ or one is not known. */
export const commonMode = (configurations: readonly ProxyConfiguration[]): Mode | undefined => {
  const modes = new Set(configurations.map((it) => it.mode))
  return modes.size === 1 ? [...modes][0] : undefined
}

/** Whether every pod of the DaemonSet has its current template. */
export const isRolledOut = ({ generation, status }: DaemonSetState): boolean =>
  status.observedGeneration >= generation && status.updated >= status.desired

function configuration(state: ClusterState, daemonSet: DaemonSetState): ProxyConfiguration {
  const file = flagOf(daemonSet, 'config')
  const flag = flagOf(daemonSet, 'proxy-mode')
  const configured = file === undefined ? fromFlags(daemonSet, flag) : fromFile(state, daemonSet, file)
  const ignored = file === undefined || flag === undefined ? {} : { ignoredFlag: flag }
  const templates = timesOf(daemonSet.managedFields, ['f:spec', 'f:template', 'f:spec']) ?? []
  const templateAt = ascending([daemonSet.createdAt, ...templates]).at(-1) ?? daemonSet.createdAt
  return { daemonSet, templateAt, ...configured, ...ignored, modeChanges: modeChanges(daemonSet, configured.changes) }
}

function modeChanges(
  { createdAt }: DaemonSetState,
  changes: readonly string[] = [],
): ProxyConfiguration['modeChanges'] {
  const installed = Date.parse(createdAt) + minutes(10)
  return changes.map((text) => ({ text, at: Date.parse(text) })).filter(({ at }, index) => index > 0 || at > installed)
}

/** The last occurrence is used; the words of a `sh -c` item are searched too. */
function flagOf(daemonSet: Pick<DaemonSetState, 'template'>, name: string): string | undefined {
  const words = daemonSet.template.command.flatMap((it) => it.split(/\s+/))
  const at = words.findLastIndex((it) => it === `--${name}` || it.startsWith(`--${name}=`))
  if (at < 0) return undefined
  const word = words[at] ?? ''
  const value = word.includes('=') ? word.slice(word.indexOf('=') + 1) : words[at + 1]
  return value?.replace(/^(["'])(.*)\1$/, '$2')
}

const flags = ['config', 'proxy-mode', 'iptables-masquerade-bit', 'metrics-bind-address']

/** The relevant flags of kube-proxy's command; nothing of other programs. */
export const keptCommand = (daemonSet: DaemonSetState): string[] => {
  if (daemonSet.role !== 'kube-proxy') return []
  const given = flags.flatMap((name) => {
    const value = flagOf(daemonSet, name)
    return value === undefined ? [] : [`--${name}=${value}`]
  })
  return ['kube-proxy', ...given, ...(isSet(daemonSet, 'masquerade-all') ? ['--masquerade-all'] : [])]
}

/** `--masquerade-all` without a value means true. */
const isSet = (daemonSet: DaemonSetState, name: string): boolean =>
  daemonSet.template.command.some((it) =>
    it.split(/\s+/).some((word) => word === `--${name}` || word === `--${name}=true`),
  )

type ConfiguredMode = Omit<ProxyConfiguration, 'daemonSet' | 'templateAt' | 'modeChanges'>

function fromFlags(daemonSet: DaemonSetState, flag: string | undefined): ConfiguredMode {
  const object = `DaemonSet/${daemonSet.namespace}/${daemonSet.name}`
  const bit = Number(flagOf(daemonSet, 'iptables-masquerade-bit') ?? 14)
  const changes = timesOf(daemonSet.managedFields, ['f:spec', 'f:template', 'f:spec'])
  const evidence = { object, field: 'spec.template.spec.containers[].command --proxy-mode' }
  return {
    ...understood({
      text: flag ?? '',
      evidence,
      masqueradeBit: bit,
      masqueradeAll: isSet(daemonSet, 'masquerade-all'),
      metricsBindAddress: flagOf(daemonSet, 'metrics-bind-address'),
    }),
    takenBy: 'flag',
    ...withChanges(changes, daemonSet.createdAt, daemonSet),
  }
}

function fromFile(state: ClusterState, daemonSet: DaemonSetState, path: string): ConfiguredMode {
  const place = placeOf(daemonSet, path)
  const object = `DaemonSet/${daemonSet.namespace}/${daemonSet.name}`
  const none = { takenBy: 'file', initial: false, masqueradeBit: 14, nftablesMasqueradeBit: 14 } as const
  if (!place) {
    const evidence = { object, field: 'spec.template.spec.containers[].command --config', value: path }
    return { ...none, evidence, problem: `reads ${path}, which no ConfigMap holds` }
  }
  const id = `${daemonSet.namespace}/${place.configMap}`
  const read = state.configMaps[id]
  const evidence: Evidence = { object: `ConfigMap/${id}`, field: `data[${place.key ?? '?'}]` }
  const failure = failureOf(read)
  if (failure) return { ...none, ...byAddon(state, daemonSet, evidence), failure, problem: 'could not be read' }
  const configMap = valueOf(read)
  const key = place.key ?? onlyKey(configMap)
  const text = key === undefined ? undefined : configMap?.data[key]
  if (!configMap || key === undefined || text === undefined) return { ...none, evidence, problem: 'does not exist' }
  const changes = timesOf(configMap.managedFields, ['f:data', `f:${key}`])
  return {
    ...understoodText(text, { object: `ConfigMap/${id}`, field: `data[${key}].mode` }),
    takenBy: 'file',
    ...withChanges(changes, configMap.createdAt, daemonSet),
  }
}

/**
 * EKS writes the add-on's mode into that ConfigMap, so it is used if the ConfigMap cannot be read. It does not show
 * when the mode changed.
 */
function byAddon(
  state: ClusterState,
  daemonSet: DaemonSetState,
  evidence: Evidence,
): Pick<ConfiguredMode, 'mode' | 'evidence'> {
  const addon = addonMode(state, daemonSet)
  return addon ? { mode: addon.mode, evidence: addon.evidence } : { evidence }
}

/** The path that EKS and kubeadm use; used if the pod template does not show the mount. */
const customary: Record<string, ConfigMapKey> = {
  '/var/lib/kube-proxy-config/config': { configMap: 'kube-proxy-config', key: 'config' },
  '/var/lib/kube-proxy/config.conf': { configMap: 'kube-proxy', key: 'config.conf' },
}

interface ConfigMapKey {
  configMap: string
  key?: string
}

/** The ConfigMap in the DaemonSet's namespace that contains the file of `--config`; undefined if there is none. */
export const configuredBy = (daemonSet: Pick<DaemonSetState, 'template'>): ConfigMapKey | undefined => {
  const file = flagOf(daemonSet, 'config')
  return file === undefined ? undefined : placeOf(daemonSet, file)
}

/** The ConfigMap and key of a path in the container. Mounted by `subPath`, the mount is the file itself. */
function placeOf(daemonSet: Pick<DaemonSetState, 'template'>, path: string): ConfigMapKey | undefined {
  const mounts = daemonSet.template.configMapMounts
    .filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    .sort((a, b) => b.mountPath.length - a.mountPath.length)
  const [mount] = mounts
  if (!mount) return customary[path]
  const file = path.slice(mount.mountPath.replace(/\/$/, '').length + 1)
  const items = Object.entries(mount.items ?? {})
  const named =
    items.find(([, at]) => at === file)?.[0] ?? (file === '' && items.length === 1 ? items[0]?.[0] : undefined)
  const key = named ?? (file === '' || mount.items ? undefined : file)
  return key === undefined ? { configMap: mount.configMap } : { configMap: mount.configMap, key }
}

const onlyKey = (configMap: ConfigMapState | undefined): string | undefined => {
  const keys = Object.keys(configMap?.data ?? {})
  return keys.length === 1 ? keys[0] : undefined
}

/**
 * kube-proxy's own configuration has two kilobytes; a far larger one is rejected, because parsing it could take very
 * long.
 */
export const configLength = 64 * 2 ** 10

function understoodText(text: string, evidence: Evidence): Understood {
  if (text.length > configLength) {
    const problem = `is of ${Math.ceil(text.length / 1_024)} kB, far too large for a configuration of kube-proxy`
    return { ...bits({}), evidence, problem }
  }
  try {
    const document = (yamlOf(text) ?? {}) as Record<string, unknown>
    const inner = (name: string) => (document[name] ?? {}) as Record<string, unknown>
    return understood({
      text: plainText(document['mode']),
      evidence,
      masqueradeBit: inner('iptables')['masqueradeBit'],
      nftablesMasqueradeBit: inner('nftables')['masqueradeBit'],
      masqueradeAll: inner('iptables')['masqueradeAll'],
      metricsBindAddress: document['metricsBindAddress'],
    })
  } catch {
    return { ...bits({}), evidence, problem: 'is not YAML that kube-proxy could read' }
  }
}

const plainText = (mode: unknown): string => (typeof mode === 'string' ? mode : mode ? JSON.stringify(mode) : '')

type Understood = Pick<
  ProxyConfiguration,
  'mode' | 'evidence' | 'problem' | 'masqueradeBit' | 'nftablesMasqueradeBit' | 'masqueradeAll' | 'metricsPort'
>

/** Exact and case-sensitive; nothing means iptables (platformApplyDefaults of kube-proxy on Linux). */
function understood(it: ModeText): Understood {
  const evidence = { ...it.evidence, value: it.text || '(none: iptables)' }
  const text = it.text || 'iptables'
  const mode = isMode(text) ? { mode: text } : { problem: `says "${text}", which kube-proxy rejects` }
  const port = metricsPort(it.metricsBindAddress)
  const all = it.masqueradeAll === true && { masqueradeAll: true as const }
  return { ...mode, ...bits(it), ...all, ...(port !== undefined && { metricsPort: port }), evidence }
}

const isBit = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 32

const bits = (it: Partial<ModeText>) => ({
  masqueradeBit: isBit(it.masqueradeBit) ? it.masqueradeBit : 14,
  nftablesMasqueradeBit: isBit(it.nftablesMasqueradeBit) ? it.nftablesMasqueradeBit : 14,
})

/** When any manager last wrote the field. Undefined: no manager is known, or one entry has no time. */
function timesOf(managed: readonly ManagedFields[], path: readonly string[]): string[] | undefined {
  const owners = managed.filter(({ fields }) => owns(fields, path))
  const times = owners.map(({ time }) => time).filter((it) => it !== undefined)
  return times.length > 0 && times.length === owners.length ? times : undefined
}

const owns = (fields: unknown, [step, ...rest]: readonly string[]): boolean =>
  step === undefined ||
  (typeof fields === 'object' &&
    fields !== null &&
    Object.hasOwn(fields, step) &&
    owns((fields as Record<string, unknown>)[step], rest))

const ascending = (times: readonly string[]): string[] =>
  [...new Set(times)].sort((a, b) => Date.parse(a) - Date.parse(b))

/**
 * Written once, when kube-proxy was installed (the pods wait for the ConfigMap, so its creation may come shortly after the
 * DaemonSet's), it never changed any node's mode.
 */
function withChanges(times: string[] | undefined, createdAt: string, daemonSet: DaemonSetState) {
  if (!times) return { initial: false }
  const changes = ascending([createdAt, ...times])
  const last = Date.parse(changes.at(-1) ?? createdAt)
  const untouched = last <= Date.parse(createdAt) && last <= Date.parse(daemonSet.createdAt) + minutes(10)
  return { changes, initial: untouched }
}
