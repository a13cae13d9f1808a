import type { KubeReads } from '../../clients/kube/client.ts'
import type { ClusterState } from '../../domain/cluster.ts'
import { failed, failureOf, type Read, read, valueOf } from '../../domain/read.ts'
import { calledForOurWrites } from '../../domain/webhooks.ts'

/** The maximum number of Services that are read: if there are more, no single node matters. */
const servicesAtMost = 20

/** Reads facts that only planning needs, unless the state already has them. */
export const withWebhookNodes = async (kube: KubeReads, state: ClusterState): Promise<ClusterState> =>
  state.webhookNodes ? state : { ...state, webhookNodes: await webhookNodes(kube) }

const webhookNodes = async (kube: KubeReads): Promise<Read<string[]>> => {
  const webhooks = await kube.webhooks()
  if ('failure' in webhooks) return webhooks
  const called = calledForOurWrites(webhooks.value).slice(0, servicesAtMost)
  const lists = await Promise.all(called.map((service) => kube.servingNodes(service)))
  const failure = lists.map((it) => failureOf(it)).find((it) => it !== undefined)
  return failure ? failed(failure) : read([...new Set(lists.flatMap((it) => valueOf(it) ?? []))].toSorted())
}
