import { fieldManager } from '../rollout/annotations.ts'

/** An object of Kubernetes as a manifest has it. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  [field: string]: unknown
}

/** The same object as the server has it, or would have it. */
export interface Stored {
  uid: string
  resourceVersion: string
  /** All but its metadata and status. */
  content: Record<string, unknown>
  managers: Manager[]
  isGoing: boolean
}

/** Who wrote a part of its content, by managedFields. */
export interface Manager {
  name: string
  applies: boolean
}

export interface ObjectId {
  on: 'object'
  kind: string
  name: string
  namespace?: string
}

/** What becomes of one object. `spare`: the cluster has no place for it, and does without. */
export type ObjectAct = ObjectId &
  (
    | { act: 'create' | 'change' | 'keep' }
    | { act: 'delete'; uid: string; resourceVersion: string }
    | { act: 'leave' | 'spare'; why: string }
  )

export const idOf = ({ kind, metadata: { name, namespace } }: Manifest): ObjectId => ({
  on: 'object',
  kind,
  name,
  ...(namespace !== undefined && { namespace }),
})

/** `would`: what the server would make of our apply. */
export const objectFor = (manifest: Manifest, there: Stored | undefined, would: Stored): ObjectAct => {
  const id = idOf(manifest)
  if (there?.isGoing) return { ...id, act: 'leave', why: 'it is being deleted: run this again afterwards' }
  const foreign = foreignIn(manifest, would.content)
  if (foreign.length > 0)
    return { ...id, act: 'leave', why: `it holds what is not of ours: ${foreign.join(', ')}. Who wrote that must say` }
  if (!there) return { ...id, act: 'create' }
  return { ...id, act: isSame(there.content, would.content) ? 'keep' : 'change' }
}

/** Only what nobody but us has written. */
export const objectWithout = (manifest: Manifest, there: Stored): ObjectAct => {
  const id = idOf(manifest)
  const others = there.managers.filter(({ name }) => name !== fieldManager).map(({ name }) => name)
  const isOurs = there.managers.some(({ name, applies }) => name === fieldManager && applies)
  if (isOurs && others.length === 0)
    return { ...id, act: 'delete', uid: there.uid, resourceVersion: there.resourceVersion }
  const who = others.length > 0 ? `${[...new Set(others)].join(', ')} wrote it` : 'nothing tells who made it'
  return { ...id, act: 'leave', why: isOurs ? `${who} as well` : `it was not made by grant: ${who}` }
}

/** What API servers fill in; everything else that no manifest says was written by somebody. */
const filledIn: Record<string, unknown> = {
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  scope: '*',
}

/** Paths of what is there beyond the manifest. */
const foreignIn = (wanted: unknown, there: unknown, path = ''): string[] => {
  if (Array.isArray(wanted) && Array.isArray(there)) {
    const more = there.slice(wanted.length).map((_, at) => `${path}[${wanted.length + at}]`)
    return [...wanted.flatMap((item, at) => foreignIn(item, there[at], `${path}[${at}]`)), ...more]
  }
  if (!isRecord(wanted) || !isRecord(there)) return isSame(wanted, there) ? [] : [path]
  return [...new Set([...Object.keys(wanted), ...Object.keys(there)])]
    .filter((key) => path !== '' || !aside.has(key))
    .flatMap((key) => {
      const at = path === '' ? key : `${path}.${key}`
      if (key in wanted) return foreignIn(wanted[key], there[key], at)
      return isSame(filledIn[key], there[key]) ? [] : [at]
    })
}

const aside = new Set(['apiVersion', 'kind', 'metadata', 'status'])

const isRecord = (it: unknown): it is Record<string, unknown> =>
  typeof it === 'object' && it !== null && !Array.isArray(it)

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))

const ordered = (it: unknown): unknown => {
  if (Array.isArray(it)) return it.map(ordered)
  if (!isRecord(it)) return it
  return Object.fromEntries(
    Object.keys(it)
      .toSorted()
      .map((key) => [key, ordered(it[key])]),
  )
}
