import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listenLocally } from '../../lab/loopback.ts'

export interface ConnectProxy {
  url: string
  port: number
  /** What it was asked to connect to, and with which login. */
  asked: { to: string; login: string | undefined }[]
  close: () => void
}

/** A proxy on this machine: whatever name it is asked for, it connects to `port`; with `answer` it says that instead. */
export const startProxy = async (port: number, answer?: string): Promise<ConnectProxy> => {
  const asked: ConnectProxy['asked'] = []
  const sockets = new Set<Socket>()
  const onConnect = ({ url = '', headers }: IncomingMessage, socket: Socket) => {
    asked.push({ to: url, login: headers['proxy-authorization'] })
    sockets.add(socket.on('error', () => socket.destroy()))
    if (answer !== undefined) return void socket.end(answer)
    const further = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(further).pipe(socket)
    })
    sockets.add(further.on('error', () => socket.destroy()))
  }
  const server: Server = createServer((_, response) => response.writeHead(501).end()).on('connect', onConnect)
  const own = await listenLocally(server)
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { url: `http://127.0.0.1:${own}`, port: own, asked, close }
}
