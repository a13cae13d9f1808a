// The CDK takes seconds and 300 MB to load, and jest would load it again for each file: it is loaded once by each worker, by Node itself.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const self = readFileSync(new URL(import.meta.url))
const requireOf = createRequire(import.meta.url)

/** A module of jest's that is Node's own; its names are listed as what reads CommonJS for an import finds them. */
const stub = (path) => {
  const names = Object.getOwnPropertyNames(requireOf(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name))
  return `module.exports = requireOutside(${JSON.stringify(path)})\n0 && (module.exports = { ${names.join(', ')} })\n`
}

export default {
  process: (_source, path) => ({ code: stub(path) }),
  getCacheKey: (source, path) => createHash('sha256').update(self).update(path).update(source).digest('hex'),
}
