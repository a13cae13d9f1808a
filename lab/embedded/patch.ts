import { isDeepStrictEqual } from 'node:util'
import { type Fieldful, isRecord } from './object.ts'
import { badRequest, unprocessable } from './status.ts'

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const result: Fieldful = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

interface Operation {
  op: string
  path: string
  from?: string
  value?: unknown
}

/** RFC 6902. A failed `test` and a path that leads nowhere are 422, as on the real server. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  let result = structuredClone(target)
  for (const operation of patch as Operation[]) result = applyOperation(result, operation)
  return result
}

function applyOperation(document: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
      return set(document, pointer(path), value, 'insert')
    case 'replace':
      read(document, pointer(path))
      return set(document, pointer(path), value, 'replace')
    case 'remove':
      read(document, pointer(path))
      return remove(document, pointer(path))
    case 'test':
      if (!isDeepStrictEqual(read(document, pointer(path)), value)) throw unprocessable()
      return document
    case 'copy':
      return set(document, pointer(path), structuredClone(read(document, pointer(from ?? ''))), 'insert')
    case 'move': {
      const moved = read(document, pointer(from ?? ''))
      return set(remove(document, pointer(from ?? '')), pointer(path), moved, 'insert')
    }
    default:
      throw unprocessable()
  }
}

const pointer = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

function read(document: unknown, path: readonly string[]): unknown {
  let current = document
  for (const step of path) {
    if (Array.isArray(current) && Number(step) in current) current = current[Number(step)]
    else if (isRecord(current) && step in current) current = current[step]
    else throw unprocessable()
  }
  return current
}

function set(document: unknown, path: readonly string[], value: unknown, how: 'insert' | 'replace'): unknown {
  const last = path.at(-1)
  if (last === undefined) return value
  const parent = read(document, path.slice(0, -1))
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, how), how === 'insert' ? 0 : 1, value)
  else if (isRecord(parent)) parent[last] = value
  else throw unprocessable()
  return document
}

function indexIn(list: readonly unknown[], step: string, how: 'insert' | 'replace'): number {
  const index = step === '-' ? list.length : Number(step)
  if (!Number.isInteger(index) || index < 0 || index > list.length - (how === 'insert' ? 0 : 1)) throw unprocessable()
  return index
}

function remove(document: unknown, path: readonly string[]): unknown {
  const parent = read(document, path.slice(0, -1))
  const last = path.at(-1) ?? ''
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isRecord(parent)) delete parent[last]
  return document
}
