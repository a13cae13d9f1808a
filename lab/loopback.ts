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
 * Ports of 127.0.0.1 that nobody listens on, for programs that must be told theirs. All are held open until the last is found, so
 * that they differ.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(servers.map((server) => listenLocally(server)))
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}
