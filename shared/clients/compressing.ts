import { once } from 'node:events'
import { createGzip } from 'node:zlib'

/** Takes texts one by one and compresses them immediately. The same texts give the same bytes. */
export const compressing = () => {
  const gzip = createGzip()
  const parts: Buffer[] = []
  gzip.on('data', (part: Buffer) => parts.push(part))
  return {
    write: async (text: string): Promise<void> => {
      if (!gzip.write(text)) await once(gzip, 'drain')
    },
    end: async (): Promise<Uint8Array> => {
      gzip.end()
      await once(gzip, 'end')
      return Buffer.concat(parts)
    },
  }
}
