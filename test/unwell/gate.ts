import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listenLocally } from '../../lab/loopback.ts'
import { refusing } from './endpoints.ts'

/** In front of one endpoint of the lab: lets through, at once or late, answers as it is told, or drops what comes. */
export interface Gate {
  url: string
  /** `late`: each call is refused once, and then answered, both late; it is 5 s in all. `undefined`: well again. */
  set: (answer: RequestListener | 'drop' | 'late' | undefined) => void
  close: () => void
}

export const gate = async (to: string): Promise<Gate> => {
  let ill: RequestListener | undefined
  let isLate = false
  const { hostname, port } = new URL(to)
  const server = createServer((incoming, outgoing) => {
    if (ill) return ill(incoming, outgoing)
    const isFirst = String(incoming.headers['amz-sdk-request']).startsWith('attempt=1')
    if (isLate && isFirst) return void setTimeout(() => refuse(incoming, outgoing), 1_000)
    const { url: path, method, headers } = incoming
    const onward = request({ hostname, port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    const late = setTimeout(() => incoming.pipe(onward), isLate ? 4_200 : 0)
    outgoing.on('close', () => {
      clearTimeout(late)
      if (!outgoing.writableEnded) onward.destroy()
    })
  })
  const door = await openDoor(await listenLocally(server))
  return {
    url: `http://127.0.0.1:${door.port}`,
    set: (answer) => {
      ill = typeof answer === 'function' ? answer : undefined
      isLate = answer === 'late'
      // Connections that are kept are gone too, as behind a firewall that has forgotten them.
      server.closeAllConnections()
      if (answer === 'drop') door.shut()
      else door.open()
    },
    close: () => {
      door.end()
      server.closeAllConnections()
      server.close()
    },
  }
}

const refuse = refusing(503, 'ServiceUnavailable')

const passing = (to: number): string => `
  const { createServer, connect } = require('net')
  createServer((near) => {
    const far = connect(${to}, '127.0.0.1')
    for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => other.destroy()).on('close', () => other.destroy()).pipe(other)
  }).listen({ port: 0, host: '127.0.0.1', backlog: 4 }, function () { console.log(this.address().port) })`

/** A process that passes connections on. Stopped, it takes none: once its backlog is full the kernel drops every further SYN. */
const openDoor = async (to: number) => {
  const child: ChildProcess = spawn(process.execPath, ['-e', passing(to)], { stdio: ['ignore', 'pipe', 'ignore'] })
  if (!child.stdout) throw new Error('the door says no port')
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(String(line))
  let filling: Socket[] = []
  const open = () => {
    for (const socket of filling) socket.destroy()
    filling = []
    child.kill('SIGCONT')
  }
  return {
    port,
    open,
    shut: () => {
      child.kill('SIGSTOP')
      filling = Array.from({ length: 12 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    },
    end: () => {
      open()
      child.kill('SIGKILL')
    },
  }
}
