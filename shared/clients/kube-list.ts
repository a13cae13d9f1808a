import { KubeError } from '../errors.ts'
import { type Foreign, isObject, objectOf, textOf } from './foreign.ts'
import type { KubeHttp } from './kube-http.ts'

export interface ListQuery {
  labelSelector?: string
  fieldSelector?: string
  limit?: number
}

/** More pages than any cluster needs: 400 times 500 objects. */
const pagesAtMost = 400
/** For all pages together. */
const listMs = 120_000

/**
 * A whole collection, page by page; of each item only what `reduce` makes of it is kept, so that memory does not grow
 * with what is not needed. A list that expired on the way (410) is begun again once.
 */
export async function list<T>(
  http: KubeHttp,
  path: string,
  query: ListQuery,
  reduce: (item: Foreign) => T | undefined,
): Promise<T[]> {
  const until = Date.now() + listMs
  try {
    return await pages()
  } catch (error) {
    if (error instanceof KubeError && error.status === 410) return pages()
    throw error
  }

  async function pages(): Promise<T[]> {
    const found: T[] = []
    const seen = new Set<string>()
    for (let next: string | undefined = ''; next !== undefined; ) {
      const page: Foreign = pageOf(await http.json(requestFor(path, query, next)), path)
      for (const item of itemsOf(page, path)) {
        const kept = reduce(item)
        if (kept !== undefined) found.push(kept)
      }
      next = textOf(objectOf(page['metadata'])['continue']) || undefined
      if (next !== undefined) bounded(next, seen, until)
    }
    return found
  }

  function bounded(next: string, seen: Set<string>, until: number): void {
    if (seen.has(next) || seen.size >= pagesAtMost)
      throw new KubeError('malformed', `The list ${path} does not end: page ${seen.size + 1} leads back.`)
    if (Date.now() > until)
      throw new KubeError('unreachable', `The list ${path} was not complete after ${listMs / 1_000} s.`)
    seen.add(next)
  }
}

const requestFor = (path: string, { limit = 500, ...selectors }: ListQuery, next: string) => ({
  method: 'GET' as const,
  path,
  query: { ...selectors, limit: String(limit), continue: next || undefined },
})

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
