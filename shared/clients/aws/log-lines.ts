import { gunzipSync } from 'node:zlib'
import * as z from 'zod/mini'
import { PermanentError } from '../../errors.ts'

/** What a subscription of CloudWatch Logs hands over, unpacked. */
export interface LogLines {
  /** Account that the log group is of. */
  owner: string
  logGroup: string
  logStream: string
  /** In their order; empty: CloudWatch Logs only tries whether anybody is there. */
  lines: string[]
}

/** Lambda takes 6 MB of an event; log text shrinks to a tenth when compressed. Data that unpacks to more was crafted. */
const bytesAtMost = { packed: 6 * 2 ** 20, unpacked: 32 * 2 ** 20 }
const linesAtMost = 20_000

const event = z.object({ awslogs: z.object({ data: z.string().check(z.maxLength(bytesAtMost.packed)) }) })
const content = z.object({
  messageType: z.enum(['DATA_MESSAGE', 'CONTROL_MESSAGE']),
  owner: z.string(),
  logGroup: z.string().check(z.maxLength(512)),
  logStream: z.string().check(z.maxLength(512)),
  logEvents: z.array(z.object({ message: z.string() })).check(z.maxLength(linesAtMost)),
})

/** Throws where it is none: it is tried again as any event, and kept as a dead letter. */
export const logLines = (given: unknown): LogLines => {
  const { messageType, logEvents, ...place } = content.parse(unpacked(event.parse(given).awslogs.data))
  return { ...place, lines: messageType === 'DATA_MESSAGE' ? logEvents.map(({ message }) => message) : [] }
}

const unpacked = (data: string): unknown => {
  try {
    return JSON.parse(
      gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: bytesAtMost.unpacked }).toString('utf8'),
    )
  } catch (cause) {
    throw new PermanentError('What CloudWatch Logs sent cannot be unpacked.', { cause })
  }
}
