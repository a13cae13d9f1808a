import { fieldManager } from '../rollout/annotations.ts'

/** A Kubernetes object in a manifest. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  [field: string]: unknown
}

/** The same object on the server, or the result of a dry run. */
export interface Stored {
  uid: string
  resourceVersion: string
  /** All but its metadata and status. */
  content: Record<string, unknown>
  managers: Manager[]
  isGoing: boolean
}

/** The writers of parts of its content, from managedFields. */
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

/** The action for one object. `spare`: the cluster does not support it and does not need it. */
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

/** `would`: the result of a dry run of our apply. */
export const objectFor = (manifest: Manifest, there: Stored | undefined, would: Stored): ObjectAct => {
  const id = idOf(manifest)
  if (there?.isGoing) return { ...id, act: 'leave', why: 'it is being deleted: run this again afterwards' }
  const foreign = foreignIn(manifest, would.content)
  if (foreign.length > 0)
    return {
      ...id,
      act: 'leave',
      why: `it has content that grant did not write: ${foreign.join(', ')}. Its writer must decide`,
    }
  if (!there) return { ...id, act: 'create' }
  return { ...id, act: isSame(there.content, would.content) ? 'keep' : 'change' }
}

/** Deletes only objects that nobody else has written. */
export const objectWithout = (manifest: Manifest, there: Stored): ObjectAct => {
  const id = idOf(manifest)
  const others = there.managers.filter(({ name }) => name !== fieldManager).map(({ name }) => name)
  const isOurs = there.managers.some(({ name, applies }) => name === fieldManager && applies)
  if (isOurs && others.length === 0)
    return { ...id, act: 'delete', uid: there.uid, resourceVersion: there.resourceVersion }
  const who = others.length > 0 ? `${[...new Set(others)].join(', ')} wrote it` : 'its creator is not known'
  return { ...id, act: 'leave', why: isOurs ? `${who} as well` : `it was not created by grant: ${who}` }
}

/** Fields that API servers set; any other field outside the manifest was written by somebody else. */
const filledIn: Record<string, unknown> = {
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  scope: '*',
}

/** Paths of fields that are not in the manifest. */
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
