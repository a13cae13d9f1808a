import { execFile } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program to its end and answers what it printed. Throws with what it complained of. */
export const run = async (program: string, ...args: string[]): Promise<string> =>
  (await execute(program, args, { maxBuffer: 64 * 1024 * 1024 })).stdout

const ip = (...args: string[]) => run('ip', ...args)

const bridge = 'lab0'
/** On the bridge, outside the range that nodes are numbered from. */
const hub = '10.1.255.254'

/** What all nodes of this private network are plugged into. */
export async function layBridge(): Promise<void> {
  if ((await ip('link', 'show', 'type', 'bridge')).includes(`${bridge}:`)) return
  await ip('link', 'add', bridge, 'type', 'bridge')
  await ip('addr', 'add', `${hub}/16`, 'dev', bridge)
  await ip('link', 'set', bridge, 'up')
}

/** A host's network of its own, with one interface, in a namespace of this name. */
export async function plugIn(namespace: string, address: string): Promise<void> {
  const port = `${namespace}-port`
  await ip('netns', 'add', namespace)
  await ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  await ip('link', 'set', port, 'master', bridge, 'up')
  await ip('-n', namespace, 'addr', 'add', `${address}/16`, 'dev', 'eth0')
  for (const link of ['lo', 'eth0']) await ip('-n', namespace, 'link', 'set', link, 'up')
  await ip('-n', namespace, 'route', 'add', 'default', 'via', hub)
}

export const unplug = (namespace: string): Promise<string> => ip('netns', 'delete', namespace)

/** kube-proxy's device in IPVS mode. Felix looks at nothing but its name, and a tap asks for no kernel module of IPVS. */
export const addIpvsLink = (namespace: string) =>
  ip('-n', namespace, 'tuntap', 'add', 'dev', 'kube-ipvs0', 'mode', 'tap')
export const removeIpvsLink = (namespace: string) => ip('-n', namespace, 'link', 'delete', 'kube-ipvs0')

/** A node's way to the API server, which listens on 127.0.0.1 and so cannot be reached from other namespaces. */
export interface Way {
  server: string
  /** Nothing comes through any more, as when the endpoint is gone. */
  cut: () => void
  restore: () => void
  close: () => void
}

/** `target`: a port of 127.0.0.1. */
export async function openWay(target: number): Promise<Way> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(target, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, hub, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
  return {
    server: `https://${hub}:${port}`,
    cut: () => {
      isCut = true
      hangUp()
    },
    restore: () => {
      isCut = false
    },
    close: () => {
      server.close()
      hangUp()
    },
  }
}
