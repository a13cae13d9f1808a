import { createServer, type Socket } from 'node:net'
import type { AuthenticatedUser, PortSpan } from '../../lab/cluster.ts'
import { type ControlPlane, defaultNodePortRange, startControlPlane } from '../../lab/control-plane/start.ts'
import { type Baseline, baselineOf } from './baseline.ts'
import { type Wire, wireOn } from './wire.ts'

/**
 * Control planes that the files of a run use one after the other: to start one takes ten seconds of CPU time. A file has one to itself,
 * from its question until its connection ends, however that comes about; then the cluster is made again what it was at its start.
 */
export interface Pool {
  stop(): Promise<void>
}

interface Kept {
  cluster: ControlPlane
  baseline: Baseline
  range: PortSpan
  isSuspended: boolean
  holder: Wire | undefined
  /** Until it is free again. */
  busy: Promise<void> | undefined
}

/** Its server listens on the socket; folders of its clusters are made in the working directory. */
export const servePool = async (socketFile: string, workdir: string): Promise<Pool> => {
  const kept = new Set<Kept>()
  let started = 0
  const start = async (range: PortSpan): Promise<Kept> => {
    started += 1
    const it: Partial<Kept> = { range, isSuspended: false }
    const authenticate = async (token: string) =>
      (await it.holder?.ask('authenticate', token)) as AuthenticatedUser | undefined
    const cluster = await startControlPlane({ name: `shared-${started}`, workdir, nodePortRange: range, authenticate })
    return Object.assign(it as Kept, { cluster, baseline: await baselineOf(cluster) })
  }
  const rest = async (it: Kept): Promise<void> => {
    try {
      if (it.isSuspended) throw new Error('it was left suspended')
      await it.baseline.restore()
    } catch (error) {
      console.error(`${it.cluster.name} is not used again: ${String(error)}`)
      kept.delete(it)
      await it.cluster.stop()
    }
  }
  const restAfter = async (ended: Promise<void>, it: Kept): Promise<void> => {
    await ended
    it.holder = undefined
    await rest(it)
    it.busy = undefined
  }
  const serve = (socket: Socket): void => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    socket.once('close', () => end())
    let lease: Promise<Kept> | undefined
    const mine = async (): Promise<Kept> => {
      if (lease === undefined) throw new Error('no control plane was asked for')
      return lease
    }
    const take = async (range: PortSpan): Promise<Kept> => {
      for (let next = restingOne(kept); next && !freeOne(kept, range); next = restingOne(kept)) await next.busy
      const it = freeOne(kept, range) ?? (await start(range))
      kept.add(it)
      it.holder = wire
      it.busy = restAfter(ended, it)
      return it
    }
    const wire = wireOn(socket, {
      lease: async (given) => {
        const range = (given as PortSpan | undefined) ?? defaultNodePortRange
        lease = take(range)
        const it = await lease
        if (!isSame(it.range, range)) await setRange(it, range)
        return described(it.cluster)
      },
      setNodePortRange: async (given) => setRange(await mine(), given as PortSpan),
      suspend: async () => {
        const it = await mine()
        it.isSuspended = true
        await it.cluster.suspend()
      },
      resume: async () => {
        const it = await mine()
        await it.cluster.resume()
        it.isSuspended = false
      },
    })
  }
  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(socketFile, resolve))
  const stop = async (): Promise<void> => {
    server.close()
    for (const { holder, busy } of kept) if (holder === undefined) await busy
    await Promise.all(Array.from(kept, ({ cluster }) => cluster.stop()))
  }
  return { stop }
}

/** One that nobody has, with this range if there is one. */
const freeOne = (kept: ReadonlySet<Kept>, range: PortSpan): Kept | undefined => {
  const free = [...kept].filter(({ busy }) => busy === undefined)
  return free.find((it) => isSame(it.range, range)) ?? free[0]
}

/** One that is about to be free. */
const restingOne = (kept: ReadonlySet<Kept>): Kept | undefined =>
  [...kept].find(({ holder, busy }) => holder === undefined && busy !== undefined)

const isSame = (one: PortSpan, other: PortSpan): boolean => one.min === other.min && one.max === other.max

const setRange = async (it: Kept, range: PortSpan): Promise<void> => {
  it.range = range
  await it.cluster.setNodePortRange(range)
  it.isSuspended = false
}

/** What is needed to use it from another process. */
export type Described = ReturnType<typeof described>
const described = ({ server, caData, adminToken, etcd, files: { authority, ...files } }: ControlPlane) => ({
  server,
  caData,
  adminToken,
  etcd,
  files,
  authority: { certPem: authority.certPem, keyPem: authority.keyPem },
})
