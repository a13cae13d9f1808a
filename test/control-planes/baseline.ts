import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ControlPlane } from '../../lab/control-plane/start.ts'

/**
 * What etcd holds of a control plane that has just started, and how to get back there: what came later is deleted below the API server,
 * which no finalizer, webhook or policy can hold up. All programs hear of it by their watches, as of any deletion.
 */
export interface Baseline {
  /** Throws where the cluster does not come to rest as it was at its start. */
  restore(): Promise<void>
}

interface Stored {
  key: string
  value?: string
  mod_revision: string
}

const answer = z.object({
  kvs: z.array(z.object({ key: z.string(), value: z.string().optional(), mod_revision: z.string() })).default([]),
})
const text = (base64: string): string => Buffer.from(base64, 'base64').toString()
const base64 = (given: string): string => Buffer.from(given).toString('base64')

/** What the API server writes of its own accord: who it is, and which ports and addresses are taken. */
const own = /^\/registry\/(leases\/kube-system\/apiserver-|masterleases\/|ranges\/)/

export const baselineOf = async (cluster: ControlPlane): Promise<Baseline> => {
  const at = await untilAtRest(cluster)
  const restoreOnce = async (): Promise<number> => {
    const now = await stored(cluster, true)
    const strange = [...now.keys()].filter((key) => !at.has(key) && !isOwn(key))
    const changed = [...at.values()].filter(
      ({ key, mod_revision }) => now.get(key)?.mod_revision !== mod_revision && !isOwn(key),
    )
    await apply(cluster, [
      ...strange.map((key) => ({ requestDeleteRange: { key } })),
      ...changed.map(({ key, value }) => ({ requestPut: { key, value } })),
    ])
    if (changed.length > 0) for (const [key, it] of await stored(cluster)) if (at.has(key)) at.set(key, it)
    return strange.length + changed.length
  }
  const untilQuiet = async (): Promise<void> => {
    let quiet = 0
    for (const end = Date.now() + 20_000; quiet < 2; await sleep(150)) {
      const count = await restoreOnce()
      quiet = count === 0 ? quiet + 1 : 0
      if (Date.now() > end) throw new Error(`${cluster.name} does not come to rest`)
    }
  }
  return {
    restore: async () => {
      // The API server remembers which ports and addresses its Services have, and lets them go with these.
      await deleteServices(cluster)
      await untilQuiet()
      await expectNoNodes(cluster)
      await untilQuiet()
    },
  }
}

const isOwn = (key: string): boolean => own.test(text(key))

/** A control plane still writes for a moment after it is ready. */
const untilAtRest = async (cluster: ControlPlane): Promise<Map<string, Stored>> => {
  const revisions = (of: Map<string, Stored>): string =>
    JSON.stringify(Array.from(of.values(), ({ key, mod_revision }) => !isOwn(key) && [key, mod_revision]))
  for (let before = await stored(cluster); ; ) {
    await sleep(500)
    const now = await stored(cluster)
    if (revisions(now) === revisions(before)) return now
    before = now
  }
}

/** By key, in base64. */
const stored = async (cluster: ControlPlane, keysOnly = false): Promise<Map<string, Stored>> => {
  const range = { key: base64('/registry/'), range_end: base64('/registry0'), keys_only: keysOnly }
  const { kvs } = answer.parse(await post(cluster, 'range', range))
  return new Map(kvs.map((it) => [it.key, it as Stored]))
}

/**
 * Each change is a transaction, so a revision, of its own. A watch goes on after the last revision it was told of: if the API server ends
 * while it tells of a revision with many changes, its clients never hear of the others, and their nodes live on in a controller's memory.
 */
const apply = async (cluster: ControlPlane, operations: readonly object[]): Promise<void> => {
  const left = operations.values()
  const worker = async (): Promise<void> => {
    for (const operation of left) await post(cluster, 'txn', { success: [operation] })
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

const counted = z.object({
  status: z.object({ observedGeneration: z.number(), desiredNumberScheduled: z.number() }).partial(),
})

/** Throws where the controller of DaemonSets still knows nodes: what it believes does not show in etcd. */
const expectNoNodes = async (cluster: ControlPlane): Promise<void> => {
  const path = '/apis/apps/v1/namespaces/kube-system/daemonsets'
  const labels = { app: 'any-node-left' }
  await cluster.request('POST', path, {
    metadata: { name: labels.app },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'none', image: 'none' }] } },
    },
  })
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    const { status } = counted.parse(await cluster.request('GET', `${path}/${labels.app}`))
    const { observedGeneration, desiredNumberScheduled } = status
    if (observedGeneration === 1 && desiredNumberScheduled === 0) return
    if (observedGeneration === 1) throw new Error(`it still knows ${desiredNumberScheduled} nodes`)
    if (Date.now() > end) throw new Error('its controller of DaemonSets says nothing')
  }
}

const post = async ({ etcd }: ControlPlane, what: string, body: object): Promise<unknown> => {
  const response = await fetch(`${etcd}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`etcd: ${response.status} ${await response.text()}`)
  return response.json()
}

const services = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) })),
})

const deleteServices = async (cluster: ControlPlane): Promise<void> => {
  const { items } = services.parse(await cluster.request('GET', '/api/v1/services'))
  const strange = items.filter(({ metadata: { name, namespace } }) => `${namespace}/${name}` !== 'default/kubernetes')
  await Promise.all(
    strange.map(({ metadata: { name, namespace } }) =>
      cluster.request('DELETE', `/api/v1/namespaces/${namespace}/services/${name}`),
    ),
  )
}
