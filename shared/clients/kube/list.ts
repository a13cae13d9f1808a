import { KubeError } from '../../errors.ts'
import { exactTextOf, type Foreign, isObject, objectOf, oneLine, textOf } from '../foreign.ts'
import { tooLargeReason } from './exchange.ts'
import type { LookLimits } from './budget.ts'
import type { KubeHttp } from './http.ts'
import { metadataOf } from './metadata.ts'

export interface ListQuery {
  labelSelector?: string
  fieldSelector?: string
}

/** Objects a page; where they are so large that a page of them is not taken, pages of fewer. */
const pageSizes = [500, 100, 20]
/** More than any cluster needs. */
const pagesAtMost = 1_000
/** Kept; ten times what the largest clusters have of anything. */
const itemsAtMost = 150_000
/** For all pages together, where the list is not part of a look. */
const alone: LookLimits = { ms: 60_000, bytes: 512 * 2 ** 20, kept: 128 * 2 ** 20 }

/**
 * A whole collection, page by page; of each item only what `reduce` makes of it is kept, so that memory does not grow
 * with what is not needed. A list that expired on the way (410) is begun again once.
 */
export async function list<T>(
  whole: KubeHttp,
  path: string,
  query: ListQuery,
  reduce: (item: Foreign) => T | undefined,
): Promise<T[]> {
  const http = whole.budget ? whole : whole.within(alone)
  return attempt(pageSizes, true)

  async function attempt([limit = 0, ...smaller]: readonly number[], again: boolean): Promise<T[]> {
    try {
      return await pages(limit)
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      if (error.status === 410 && again) return attempt([limit, ...smaller], false)
      if (error.reason === tooLargeReason && smaller.length > 0) return attempt(smaller, again)
      throw error
    }
  }

  async function pages(limit: number): Promise<T[]> {
    const found: T[] = []
    const seen = new Set<string>()
    const begins = new Set<string>()
    for (let next: string | undefined = ''; next !== undefined; ) {
      const request = { ...query, limit: String(limit), continue: next || undefined }
      const page: Foreign = pageOf(await http.json({ method: 'GET', path, query: request }), path)
      const items = itemsOf(page, path)
      advancing(items[0], begins)
      for (const item of items) {
        const kept = reduce(item)
        if (kept === undefined) continue
        found.push(kept)
        http.budget?.keep(path, kept)
      }
      if (found.length > itemsAtMost)
        throw new KubeError('malformed', `The list ${path} is too long: more than ${itemsAtMost} objects.`)
      next = exactTextOf(objectOf(page['metadata'])['continue']) || undefined
      if (next !== undefined) bounded(next, seen)
    }
    return found
  }

  /** Stops at a server that sends the same page again under another token, which would never end. */
  function advancing(first: Foreign | undefined, begins: Set<string>): void {
    if (first === undefined) return
    const { namespace, name } = metadataOf(first)
    const id = `${namespace}/${name}`
    if (begins.has(id))
      throw new KubeError('malformed', `The list ${path} does not end: it begins again at ${oneLine(id, 80)}.`)
    begins.add(id)
  }

  function bounded(next: string, seen: Set<string>): void {
    if (seen.has(next) || seen.size >= pagesAtMost)
      throw new KubeError('malformed', `The list ${path} does not end: after ${seen.size + 1} pages it goes on.`)
    seen.add(next)
  }
}

function pageOf(page: unknown, path: string): Foreign {
  if (isObject(page)) return page
  throw new KubeError('malformed', `The answer to ${path} is not a list.`)
}

/** An empty list may say `"items": null`. */
function itemsOf({ items }: Foreign, path: string): Foreign[] {
  if (items === null || (Array.isArray(items) && items.every(isNamed))) return items ?? []
  throw new KubeError('malformed', `The answer to ${path} is not a list of objects with names.`)
}

const isNamed = (it: unknown): it is Foreign => isObject(it) && !!textOf(objectOf(it['metadata'])['name'])
