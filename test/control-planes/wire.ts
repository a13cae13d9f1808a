import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** Answers what the other end asks. */
export type Answers = Readonly<Record<string, (given: unknown) => Promise<unknown>>>

/** One end of a connection on which both ends may ask: a question, or an answer, is a line of JSON. */
export interface Wire {
  /** Rejects with what the other end threw, or when the connection ends first. */
  ask(what: string, given?: unknown): Promise<unknown>
  close(): void
}

type Line = { id: number; what: string; given?: unknown } | { id: number; answer?: unknown; error?: string }

interface Asked {
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

export const wireOn = (socket: Socket, answers: Answers): Wire => {
  const asked = new Map<number, Asked>()
  let last = 0
  const send = (line: Line): void => void socket.write(`${JSON.stringify(line)}\n`)
  const answer = async (id: number, what: string, given: unknown): Promise<void> => {
    try {
      send({ id, answer: await answers[what]?.(given) })
    } catch (error) {
      send({ id, error: error instanceof Error ? error.message : String(error) })
    }
  }
  const hear = (line: Line): void => {
    if ('what' in line) return void answer(line.id, line.what, line.given)
    const waiting = asked.get(line.id)
    asked.delete(line.id)
    if (line.error === undefined) waiting?.resolve(line.answer)
    else waiting?.reject(new Error(line.error))
  }
  createInterface({ input: socket }).on('line', (line) => hear(JSON.parse(line) as Line))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    for (const { reject } of asked.values()) reject(new Error('the other end is gone'))
    asked.clear()
  })
  return {
    ask: (what, given) =>
      new Promise((resolve, reject) => {
        last += 1
        asked.set(last, { resolve, reject })
        send({ id: last, what, given })
      }),
    close: () => void socket.end(),
  }
}
