/** What a server that keeps to no schema may answer in place of a leaf or a branch. */
export type Mutation = (value: unknown, depth: number) => unknown

const isBranch = (it: unknown): it is object => typeof it === 'object' && it !== null

/** Goes through a document from the leaves up. `kind` and `apiVersion` of the whole stay, or it would not even be read. */
export function mutated(document: unknown, mutation: Mutation, depth = 0): unknown {
  const inner = (it: unknown): unknown => mutated(it, mutation, depth + 1)
  const changed = Array.isArray(document)
    ? document.map(inner)
    : isBranch(document)
      ? Object.fromEntries(Object.entries(document).map(([key, value]) => [key, inner(value)]))
      : document
  return depth === 0 ? changed : mutation(changed, depth)
}

/** The names stay, so that the list counts as one; everything below may be anything. */
export const wrongTypes: Record<string, Mutation> = {
  'numbers as strings': (it) => (typeof it === 'number' ? String(it) : it),
  'strings as numbers': (it, depth) => (typeof it === 'string' && depth > 4 ? 7 : it),
  'nulls for leaves': (it, depth) => (isBranch(it) || depth <= 4 ? it : null),
  'nulls for branches': (it, depth) => (isBranch(it) && depth > 3 ? null : it),
  'arrays for objects': (it, depth) => (isBranch(it) && !Array.isArray(it) && depth > 3 ? [it, it] : it),
  'objects for arrays': (it, depth) => (Array.isArray(it) && depth > 3 ? Object.fromEntries(it.entries()) : it),
  'booleans for all': (it, depth) => (depth > 4 ? true : it),
  'absurd numbers': (it) => (typeof it === 'number' ? -1e308 : it),
  'absurd times': (it) => (typeof it === 'string' && /^\d{4}-\d\d-/.test(it) ? '99999-99-99T99:99:99Z' : it),
  'empty texts': (it, depth) => (typeof it === 'string' && depth > 4 ? '' : it),
}

/** Each leaf and branch by chance one of the above. */
export function chaos(seed: number): Mutation {
  let state = seed
  const all = Object.values(wrongTypes)
  return (it, depth) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const drawn = state >>> 8
    return drawn % 7 === 0 ? all[(drawn >>> 4) % all.length]?.(it, depth) : it
  }
}
