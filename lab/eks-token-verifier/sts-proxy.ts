import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'

/**
 * An HTTPS proxy for programs that shall find the lab's STS under the names of AWS': it leads `sts.REGION.amazonaws.com:443` to the
 * local port and everything else nowhere. Unlike names in /etc/hosts this needs no rights.
 */
export function createStsProxy(stsPort: number): Server {
  return createServer((_, response) => response.writeHead(405).end()).on('connect', (request, client, head) => {
    if (!/^sts\.[a-z0-9-]+\.amazonaws\.com:443$/.test(request.url ?? '')) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      return
    }
    const sts = connect(stsPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      sts.write(head)
      sts.pipe(client)
      client.pipe(sts)
    })
    sts.on('error', () => client.destroy())
    client.on('error', () => sts.destroy())
  })
}
