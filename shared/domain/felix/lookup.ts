import type { FelixObject } from '../cluster.ts'
import type { DecodeRules, FelixSetting } from './decode.ts'
import { goLower } from './go.ts'
import type { Layer, Rules } from './layer.ts'
import { type Parameter, type Parsed, parametersOf } from './params.ts'
import { firstError, resolveLayers } from './resolve.ts'
import { specChecks } from './spec-checks.ts'
import { readError, readStore, storeLayers } from './store.ts'
import type { FelixError, FelixResolution, FelixWarning } from './values.ts'
import type { CalicoApi } from '../report.ts'
import { atLeast, type CalicoVersion } from '../version.ts'

/** The sources of Felix's configuration on one node, except the FelixConfigurations. */
export interface FelixNode {
  nodeName: string
  nodeLabels: Record<string, string>
  /** In the order of the process environment; the last of several spellings of one name is used. */
  env: { name: string; value: string }[]
  /** Variables whose value is not known; `PREFIX*`: all with this prefix. */
  unknownEnv?: string[]
  /** Contents of /etc/calico/felix.cfg, if known: parameter to value. */
  file?: Record<string, string>
  /** kube-proxy runs in nftables mode here: what `NFTablesMode: Auto` follows (mark mask from Calico 3.33). Absent: no. */
  kubeProxyNftables?: boolean
}

/** The FelixConfigurations of a cluster and the API they were read from. */
export interface FelixSource {
  objects: FelixObject[]
  /** The API group from which the objects were read: v3 already merges the copy in `projectcalico.org/metadata`. */
  api: CalicoApi
  /** The objects are stored as projectcalico.org/v3 CRDs (without Calico's API server). */
  nativeV3?: boolean
}

/** One version's view of the objects. */
export interface VersionIndex {
  resolve(node: FelixNode): FelixResolution
  layers(node: FelixNode): Layer[]
  parse: Rules['parse']
}

/** Objects decoded once by the rules of one Calico version. */
export function indexForVersion(source: FelixSource, calico: CalicoVersion): VersionIndex {
  const parameters = parametersOf(calico)
  const selectors = atLeast(calico, '3.32')
  const metadataCopy = copyRule(source.api, calico)
  const store = readStore(source.objects, { parameters, selectors, metadataCopy, checks: specChecks(calico) })
  const parse = cachedParse()
  const notReady = source.nativeV3 === true && !selectors
  const answers = new Map<string, FelixResolution>()
  return {
    parse,
    layers: (node) => [...localLayers(node, parameters), ...storeLayers(node, store).layers],
    resolve(node) {
      const rules: Rules = { parameters, parse, usesNftablesMask: maskRule(calico, node.kubeProxyNftables ?? false) }
      const local = localLayers(node, parameters)
      const early = firstError(local, rules) ?? (notReady ? notReadyError : readError(node.nodeName, store, selectors))
      if (early) return early
      const { layers, overlap } = storeLayers(node, store)
      const key = JSON.stringify([signature(node), layers.map((layer) => layer.object), overlap?.message])
      const answer = answers.get(key) ?? answerFor({ local, layers, overlap }, rules, store.warnings)
      answers.set(key, answer)
      return answer
    },
  }
}

// Before 3.28 the copy is decoded (and must be readable) but its annotations are not used.
export const copyRule = (api: CalicoApi, calico: CalicoVersion): DecodeRules['metadataCopy'] =>
  api === 'projectcalico.org/v3' ? 'ignored' : atLeast(calico, '3.28') ? 'merged' : 'parsed'

// Config.MarkMask: until 3.32 only by the setting; from 3.33 by what it resolves to on the node.
const maskRule =
  (calico: CalicoVersion, kubeProxyNftables: boolean): Rules['usesNftablesMask'] =>
  (mode) =>
    mode === 'Enabled' || (mode === 'Auto' && kubeProxyNftables && atLeast(calico, '3.33'))

function cachedParse(): Rules['parse'] {
  const known = new Map<Parameter, Map<string, Parsed>>()
  return (parameter, raw) => {
    const texts = known.get(parameter) ?? new Map<string, Parsed>()
    known.set(parameter, texts)
    const parsed = texts.get(raw) ?? parameter.parse(raw)
    texts.set(raw, parsed)
    return parsed
  }
}

interface Found {
  local: Layer[]
  layers: Layer[]
  overlap: FelixWarning | undefined
}

function answerFor({ local, layers, overlap }: Found, rules: Rules, known: readonly FelixWarning[]): FelixResolution {
  // UpdateFrom is called for global, selector, host, in this order (felix/daemon/daemon.go).
  const error = firstError(layers.toReversed(), rules)
  return error ?? resolveLayers([...local, ...layers], rules, overlap ? [...known, overlap] : known)
}

const isFelix = (name: string): boolean => name.length > 6 && goLower(name).startsWith('felix_')

const signature = (node: FelixNode): unknown[] => [
  node.env.filter((it) => isFelix(it.name)),
  node.unknownEnv ?? [],
  node.file ?? {},
  node.kubeProxyNftables ?? false,
]

function localLayers(node: FelixNode, parameters: Rules['parameters']): Layer[] {
  const env = new Map<string, FelixSetting[]>()
  for (const { name, value } of node.env) {
    if (isFelix(name)) env.set(goLower(name).slice(6), [{ key: name, raw: value, kind: 'env' }])
  }
  const layers: Layer[] = [
    { source: 'env', object: 'environment', entries: env, unknown: unseen(node, env, parameters) },
  ]
  if (node.file) layers.push({ source: 'file', object: 'felix.cfg', entries: fileEntries(node.file) })
  return layers
}

function unseen(
  node: FelixNode,
  env: ReadonlyMap<string, FelixSetting[]>,
  parameters: Rules['parameters'],
): Set<string> {
  const names = new Set<string>()
  for (const variable of node.unknownEnv ?? []) {
    const name = goLower(variable)
    if (!name.endsWith('*')) names.add(name.replace(/^felix_/, ''))
    else if ('felix_'.startsWith(name.slice(0, -1)) || name.startsWith('felix_')) {
      for (const parameter of parameters.keys()) if (!env.has(parameter)) names.add(parameter)
    }
  }
  return names
}

function fileEntries(file: Readonly<Record<string, string>>): Map<string, FelixSetting[]> {
  const entries = new Map<string, FelixSetting[]>()
  for (const [key, raw] of Object.entries(file)) {
    entries.set(goLower(key), [...(entries.get(goLower(key)) ?? []), { key, raw, kind: 'file' }])
  }
  return entries
}

const notReadyError: FelixError = {
  outcome: 'error',
  message:
    'Felix does not start: datastore is not ready or has not been initialised; this version cannot use projectcalico.org/v3 CRDs',
  stage: 'read',
  objects: [],
  warnings: [],
}
