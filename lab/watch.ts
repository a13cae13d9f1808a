import { request, type RequestOptions } from 'node:https'
import { createInterface } from 'node:readline'
import type { LabCluster } from './cluster.ts'

export interface WatchedObject {
  kind?: string
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    deletionTimestamp?: string
    annotations?: Record<string, string>
  }
  spec?: { nodeName?: string; [field: string]: unknown }
  status?: { conditions?: { type: string; status: string }[] }
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: WatchedObject
}

/** The API server's own account of a collection, from now on; it goes on where it was after the server was away. */
export interface Watch {
  objects: Map<string, WatchedObject>
  /** Until everything that stands in the collection now has been seen. */
  caughtUp: () => Promise<void>
  stop: () => void
}

interface List {
  metadata: { resourceVersion: string }
  items: WatchedObject[]
}

export const watch = async (
  cluster: LabCluster,
  { path, query = '' }: { path: string; query?: string },
  heard: (event: WatchEvent, before: WatchedObject | undefined) => void,
): Promise<Watch> => {
  const list = async () => (await cluster.request('GET', `${path}?${query}`)) as List
  const first = await list()
  const objects = new Map(first.items.map((it) => [it.metadata.name, it]))
  let { resourceVersion } = first.metadata
  let stopped = false
  let hangUp = (): void => undefined
  const tell = (event: WatchEvent): void => {
    const { name } = event.object.metadata
    const before = objects.get(name)
    if (event.type === 'DELETED') objects.delete(name)
    else objects.set(name, event.object)
    heard(event, before)
  }
  const take = (line: string): void => {
    const event = JSON.parse(line) as WatchEvent
    if (!isChange(event)) return hangUp()
    resourceVersion = event.object.metadata.resourceVersion
    tell(event)
  }
  /** A server that was away remembers nothing of before: what it holds is compared with what was seen. */
  const compare = async (): Promise<void> => {
    const { metadata, items } = await list()
    resourceVersion = metadata.resourceVersion
    const names = new Set(items.map((it) => it.metadata.name))
    for (const object of objects.values()) if (!names.has(object.metadata.name)) tell({ type: 'DELETED', object })
    for (const object of items) {
      const known = objects.get(object.metadata.name)?.metadata.resourceVersion
      if (known !== object.metadata.resourceVersion) tell({ type: known ? 'MODIFIED' : 'ADDED', object })
    }
  }
  const again = (): void => {
    if (stopped) return
    setTimeout(() => void compare().then(follow, again), 50)
  }
  const follow = (): void => {
    if (stopped) return
    const url = new URL(`${path}?watch=1&${query}&resourceVersion=${resourceVersion}`, cluster.server)
    const asked = request(url, optionsOf(cluster), (response) => {
      response.once('error', () => undefined)
      if (response.statusCode !== 200) response.resume()
      else
        createInterface({ input: response })
          .on('line', take)
          .on('error', () => undefined)
    })
    // Told of however the connection ends.
    asked
      .once('error', () => undefined)
      .once('close', again)
      .end()
    hangUp = () => asked.destroy()
  }
  follow()
  return {
    objects,
    caughtUp: async () => {
      const { items } = await list()
      const isSeen = ({ metadata }: WatchedObject) =>
        Number(objects.get(metadata.name)?.metadata.resourceVersion ?? 0) >= Number(metadata.resourceVersion)
      const names = new Set(items.map(({ metadata }) => metadata.name))
      const same = () => items.every(isSeen) && [...objects.keys()].every((name) => names.has(name))
      for (const end = Date.now() + 5_000; !same() && Date.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 2))
    },
    stop: () => {
      stopped = true
      hangUp()
    },
  }
}

/** No bookmarks are asked for; an ERROR says that the history is gone. */
const isChange = ({ type }: WatchEvent): boolean => ['ADDED', 'MODIFIED', 'DELETED'].includes(type)

const optionsOf = ({ caData, adminToken }: LabCluster): RequestOptions => ({
  ca: Buffer.from(caData, 'base64').toString(),
  headers: { authorization: `Bearer ${adminToken}` },
  agent: false,
})
