import type { FelixObject } from '../cluster.ts'
import { type Decoded, type DecodedObject, type DecodeRules, decodeObject } from './decode.ts'
import { type BadField, quote, short } from './go.ts'
import { type Layer, objectName } from './layer.ts'
import { parseSelector, type Selector } from './selector.ts'
import type { FelixError, FelixWarning } from './values.ts'

interface SelectorGroup {
  matches: Selector
  members: { name: string; object: DecodedObject }[]
}

interface Broken {
  name: string
  /** Begins with the invalid field, if it is one. */
  reason: string
  at?: BadField
}

/** The FelixConfigurations of a cluster, decoded by the rules of one version. */
export interface Store {
  decoded: ReadonlyMap<string, Decoded>
  groups: SelectorGroup[]
  broken: Broken[]
  /** Warnings about objects; they are the same on every node. */
  warnings: FelixWarning[]
}

const listed = 10
const nodePrefix = 'node.'

export function readStore(objects: readonly FelixObject[], rules: DecodeRules): Store {
  const decoded = new Map(objects.map((object) => [object.name, decodeObject(object, rules)]))
  const groups = new Map<string, SelectorGroup>()
  const warnings: FelixWarning[] = []
  for (const [name, object] of decoded) {
    if (!object.ok || object.nodeSelector === undefined || name === 'default' || name.startsWith(nodePrefix)) continue
    const group = groups.get(object.nodeSelector)
    const parsed = group ? { ok: true as const, matches: group.matches } : parseSelector(object.nodeSelector)
    if (parsed.ok) {
      const members = [...(group?.members ?? []), { name, object }]
      groups.set(object.nodeSelector, { matches: parsed.matches, members })
    } else if (warnings.length < listed) warnings.push(badSelector(name, object.nodeSelector, parsed.reason))
  }
  const broken = [...decoded].flatMap(([name, object]) => (object.ok ? [] : [brokenOne(name, object)]))
  if (!rules.selectors) warnings.push(...broken.slice(0, listed).map(undecodable))
  return { decoded, broken, groups: [...groups.values()], warnings }
}

const brokenOne = (name: string, { reason, at }: Extract<Decoded, { ok: false }>): Broken =>
  at
    ? { name, reason: `${at.field}${at.raw === undefined ? '' : ` ${quote(at.raw)}`}: ${reason}`, at }
    : { name, reason }

const badSelector = (name: string, selector: string, reason: string): FelixWarning => ({
  kind: 'selector-invalid',
  source: 'selector',
  object: objectName(name),
  field: 'spec.nodeSelector',
  raw: short(selector),
  decides: false,
  message: `the object is ignored, its nodeSelector cannot be parsed: ${reason}`,
})

/** Until 3.31 Felix starts with `default` and its own node's object only; then its watch receives the others. */
const undecodable = ({ name, reason, at }: Broken): FelixWarning => ({
  kind: 'undecodable',
  source: name.startsWith(nodePrefix) ? 'host' : 'selector',
  object: objectName(name),
  ...at,
  decides: false,
  message: `Felix cannot read this object (${reason}); it starts, but receives no further changes until the object is fixed`,
})

/** Why Felix on this node cannot read its configuration. */
export function readError(nodeName: string, store: Store, listsAll: boolean): FelixError | undefined {
  const own = new Set(['default', `${nodePrefix}${nodeName}`])
  const broken = listsAll ? store.broken : store.broken.filter((it) => own.has(it.name))
  const [first] = broken
  if (!first) return undefined
  return {
    outcome: 'error',
    message: `Felix does not start, and a running Felix keeps its old configuration: ${objectName(first.name)} cannot be read: ${first.reason}`,
    stage: 'read',
    objects: broken.slice(0, listed).map((it) => objectName(it.name)),
    places: broken.slice(0, listed).map(({ name, at }) => ({ object: objectName(name), ...at })),
    warnings: [],
  }
}

/** The layers of a node that come from objects, highest first. */
export function storeLayers(
  node: { nodeName: string; nodeLabels: Readonly<Record<string, string>> },
  store: Store,
): { layers: Layer[]; overlap: FelixWarning | undefined } {
  const { winner, overlap } = selected(new Map(Object.entries(node.nodeLabels)), store)
  const layers = [
    layerOf('host', `${nodePrefix}${node.nodeName}`, store),
    ...(winner === undefined ? [] : [layerOf('selector', winner, store)]),
    layerOf('global', 'default', store),
  ]
  return { layers: layers.filter((layer) => layer !== undefined), overlap }
}

function layerOf(source: Layer['source'], name: string, store: Store): Layer | undefined {
  const object = store.decoded.get(name)
  return object?.ok ? { source, object: objectName(name), entries: object.entries } : undefined
}

/**
 * Only the oldest is used; if several have the same age, the first by name (MergeSelectorConfigs,
 * felix/calc/config_batcher.go).
 */
function selected(labels: ReadonlyMap<string, string>, store: Store): { winner?: string; overlap?: FelixWarning } {
  const matching = store.groups.filter((group) => group.matches(labels)).flatMap((group) => group.members)
  let winner = matching[0]
  for (const member of matching) if (winner && isBefore(member, winner)) winner = member
  if (!winner) return {}
  if (matching.length === 1) return { winner: winner.name }
  const names = matching.slice(0, listed).map((member) => member.name)
  const overlap: FelixWarning = {
    kind: 'selector-overlap',
    source: 'selector',
    object: objectName(winner.name),
    field: 'spec.nodeSelector',
    decides: true,
    message: `${matching.length} objects select this node (${names.sort().join(', ')}); only the oldest counts: ${winner.name}`,
  }
  return { winner: winner.name, overlap }
}

type Member = SelectorGroup['members'][number]
const isBefore = (a: Member, b: Member): boolean =>
  a.object.createdAt === b.object.createdAt ? a.name < b.name : a.object.createdAt < b.object.createdAt
