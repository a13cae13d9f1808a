import type { Moto } from '../../../lab/moto/moto.ts'
import { kinds, type Request } from './kinds.ts'

/** Names of all resources there are, by type. */
export type Inventory = Map<string, string[]>

/** Where a request is made; `account`: of a moto that is no account's. */
type Asked = Pick<Moto, 'endpoint' | 'region'> & { account?: string }

/** moto verifies no signature, but reads service and region from it. Throws with what moto says where it refuses. */
export const askMoto = async ({ endpoint, region, account }: Asked, request: Request): Promise<string> => {
  const { service, path = '/', target, form, body = {} } = request
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  const scope = `AKIAEMULATED/${day}/${region}/${service}/aws4_request`
  const headers = {
    ...(account && { 'x-moto-account-id': account }),
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    ...(target !== undefined && { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }),
    ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
  }
  const content = form ?? (target === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(`${endpoint}${path}`, {
    headers,
    ...(content === undefined ? {} : { method: 'POST', body: content }),
    signal: AbortSignal.timeout(120_000),
  })
  const text = await response.text()
  if (response.ok) return text
  const what = target ?? path + (form?.slice(0, 80) ?? '')
  throw new Error(`moto refuses ${what}: HTTP ${response.status} ${text.slice(0, 1_000)}`)
}

export const inventory = async (moto: Asked, of = kinds): Promise<Inventory> => {
  const found: Inventory = new Map()
  for (const { type, list } of of) found.set(type, await list((request) => askMoto(moto, request)))
  return found
}

/** How many of each type are there now and were not then. */
export const since = (then: Inventory, now: Inventory): Record<string, number> => {
  const more = [...now].map(([type, names]) => {
    const before = new Set(then.get(type))
    return [type, names.filter((name) => !before.has(name)).length] as const
  })
  return Object.fromEntries(more.filter(([, count]) => count > 0).toSorted(([a], [b]) => a.localeCompare(b)))
}

export const cloudFormation = (fields: Record<string, string>): Request => ({
  service: 'cloudformation',
  form: new URLSearchParams({ Version: '2010-05-15', ...fields }).toString(),
})
