import { KubeError } from '../../errors.ts'
import { exactTextOf, type Foreign, isObject, objectOf, oneLine, textOf } from '../foreign.ts'
import { tooLargeReason } from './exchange.ts'
import type { ObservationLimits } from './budget.ts'
import type { KubeHttp } from './http.ts'
import { metadataOf } from './metadata.ts'

export interface ListQuery {
  labelSelector?: string
  fieldSelector?: string
}

/** Objects in a page; if a page is too large, smaller pages are used. */
const pageSizes = [500, 100, 20]
/** More than any cluster needs. */
const pagesAtMost = 1_000
/** The maximum of kept objects; ten times the number in the largest clusters. */
const itemsAtMost = 150_000
/** For all pages together, if the list is not part of an observation. */
const alone: ObservationLimits = { ms: 60_000, bytes: 512 * 2 ** 20, kept: 128 * 2 ** 20 }

/**
 * Reads a whole collection, page by page; only the result of `reduce` is kept of each item, to limit memory. A list
 * that expires during reading (410) is restarted once.
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
      const request: Record<string, string | undefined> = {
        ...query,
        limit: String(limit),
        continue: next || undefined,
      }
      // The first object that is wrong ends the page: the rest of it would cost time and memory for nothing.
      const of = (item: unknown, index: number): Item<T> => {
        if (!isNamed(item)) throw nameless(path)
        if (found.length + index >= itemsAtMost) throw tooLong(path)
        return { kept: reduce(item), ...(index === 0 && { id: idOf(item) }) }
      }
      const { page, items } = await http.list({ method: 'GET', path, query: request }, of)
      const read = itemsOf(pageOf(page, path), items, path)
      advancing(read[0]?.id, begins)
      for (const { kept } of read) {
        if (kept === undefined) continue
        found.push(kept)
        http.budget?.keep(path, kept)
      }
      next = exactTextOf(objectOf(objectOf(page)['metadata'])['continue']) || undefined
      if (next !== undefined) bounded(next, seen)
    }
    return found
  }

  /** Detects a server that repeats a page with another token, which would never end. */
  function advancing(id: string | undefined, begins: Set<string>): void {
    if (id === undefined) return
    if (begins.has(id))
      throw new KubeError('malformed', `The list ${path} does not end: it begins again at ${oneLine(id, 80)}.`)
    begins.add(id)
  }

  function bounded(next: string, seen: Set<string>): void {
    if (seen.has(next) || seen.size >= pagesAtMost)
      throw new KubeError('malformed', `The list ${path} does not end: it continues after ${seen.size + 1} pages.`)
    seen.add(next)
  }
}

function pageOf(page: unknown, path: string): Foreign {
  if (isObject(page)) return page
  throw new KubeError('malformed', `The answer to ${path} is not a list.`)
}

interface Item<T> {
  /** Of the first item of a page. */
  id?: string
  kept: T | undefined
}

const idOf = (item: Foreign): string => {
  const { namespace, name } = metadataOf(item)
  return `${namespace}/${name}`
}

/**
 * An empty list may have `"items": null`. Whatever else is in the list than objects with names, or is a list beside it, is
 * in the page.
 */
function itemsOf<T>(page: Foreign, items: Item<T>[], path: string): Item<T>[] {
  const listed = page['items'] === null ? [] : page['items']
  const lists = Object.values(page).filter(Array.isArray)
  const isWhole =
    Array.isArray(listed) && lists.length <= 1 && listed.length === items.length && listed.every((it) => it === null)
  if (isWhole) return items
  throw nameless(path)
}

const nameless = (path: string) =>
  new KubeError('malformed', `The answer to ${path} is not a list of objects with names.`)

const tooLong = (path: string) =>
  new KubeError('malformed', `The list ${path} is too long: more than ${itemsAtMost} objects.`)

const isNamed = (it: unknown): it is Foreign => isObject(it) && !!textOf(objectOf(it['metadata'])['name'])
