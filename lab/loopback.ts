import { createServer, type Server } from 'node:net'

/** Listens on a port of 127.0.0.1 that the system chooses; answers the port. */
export function listenLocally(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the server listens on no TCP port'))
      else resolve(address.port)
    })
  })
}

/**
 * Ports of 127.0.0.1 for programs that must be told theirs, and that may have to come back on the same one. They are taken from below
 * the range out of which the system picks the near end of connections: in that range, somebody's connection might sit on the port
 * when its program wants it again, and a client that keeps knocking on a port nobody listens on can end up connected to itself.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = 12_000 + Math.floor(Math.random() * 20_000)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
