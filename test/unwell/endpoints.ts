import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listenLocally } from '../../lab/loopback.ts'

/** Endpoints of AWS that are not well, each on a port of its own of 127.0.0.1. */
export interface Unwell {
  serve: (answer: RequestListener) => Promise<string>
  /** Drops every SYN. */
  dropping: () => Promise<string>
  close: () => void
}

export const unwell = (): Unwell => {
  const servers: Server[] = []
  const sockets: Socket[] = []
  const deaf: ChildProcess[] = []
  return {
    serve: async (answer) => {
      const server = createServer(answer)
      servers.push(server)
      return `http://127.0.0.1:${await listenLocally(server)}`
    },
    // A process that listens and is stopped: once its backlog is full, the kernel drops every further SYN.
    dropping: async () => {
      const code = `require('net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, function () { console.log(this.address().port) })`
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
      deaf.push(child)
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const port = Number(String(line))
      child.kill('SIGSTOP')
      for (let filling = 0; filling < 8; filling += 1) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        sockets.push(socket)
      }
      return `http://127.0.0.1:${port}`
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
      for (const child of deaf) child.kill('SIGKILL')
    },
  }
}

/** In the words of the protocol that is spoken: STS and SNS expect XML. */
export const refusing =
  (status: number, code: string, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume()
    const isXml = request.headers['content-type'] === 'application/x-www-form-urlencoded'
    const type = isXml ? 'text/xml' : 'application/json'
    response.writeHead(status, { 'content-type': type, 'x-amzn-errortype': code, ...headers })
    const body = isXml
      ? `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>not now</Message></Error></ErrorResponse>`
      : JSON.stringify({ __type: code, message: 'not now' })
    response.end(body)
  }

/** A byte a second, for ever. */
export const dripping: RequestListener = (request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write(' ')
  const timer = setInterval(() => response.write(' '), 1_000)
  response.on('close', () => clearInterval(timer))
}

export const silent: RequestListener = (request) => void request.resume()
