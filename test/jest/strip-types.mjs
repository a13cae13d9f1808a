// Node strips the types itself everywhere else; jest only needs the same source it would have run.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

const self = readFileSync(new URL(import.meta.url))

export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
  getCacheKey: (source, path, { instrument }) =>
    createHash('sha256')
      .update(self)
      .update(process.version)
      .update(path)
      .update(String(instrument))
      .update(source)
      .digest('hex'),
}
