import { clientOf, type Operation, operation, type Sent } from './client.ts'
import { answeredJson, refusedInJson } from './json-rpc.ts'

export const ListClustersCommand = /* @__PURE__ */ operation('EKS.ListClusters', '/clusters')
export const DescribeClusterCommand = /* @__PURE__ */ operation('EKS.DescribeCluster', '/clusters/{name}')
export const ListUpdatesCommand = /* @__PURE__ */ operation('EKS.ListUpdates', '/clusters/{name}/updates')
export const DescribeUpdateCommand = /* @__PURE__ */ operation(
  'EKS.DescribeUpdate',
  '/clusters/{name}/updates/{updateId}',
)
export const DescribeAddonCommand = /* @__PURE__ */ operation(
  'EKS.DescribeAddon',
  '/clusters/{clusterName}/addons/{addonName}',
)

/** What the path does not name is in the query. */
function requestOf({ name, path, input }: Operation): Sent {
  const given = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  const whole = path.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = given.get(key)
    if (typeof value !== 'string' || value === '') throw new Error(`${name} needs ${key}`)
    given.delete(key)
    return encodeURIComponent(value)
  })
  return { method: 'GET', path: whole, query: Object.fromEntries([...given].map(([key, it]) => [key, String(it)])) }
}

/** Times are seconds since 1970. */
const timesOf = (it: unknown): unknown => {
  if (typeof it !== 'object' || it === null || !('createdAt' in it)) return it
  return { ...it, createdAt: new Date(Number(it.createdAt) * 1_000) }
}

export const EKSClient = /* @__PURE__ */ clientOf({
  service: 'eks',
  serviceId: 'EKS',
  request: requestOf,
  answer: (text) => Object.fromEntries(Object.entries(answeredJson(text)).map(([key, it]) => [key, timesOf(it)])),
  refused: refusedInJson,
})
