import { loadAll, YAML11_SCHEMA } from 'js-yaml'

/** A document of the largest size that is parsed has a tenth of it; aliases in aliases can multiply it without end. */
const sizeAtMost = 2 ** 20
const aliasesAtMost = 100

/**
 * Parses a document like kube-proxy (sigs.k8s.io/yaml, YAML 1.1): `yes` is true, `016` is octal, `<<` merges, every
 * key is a text, and a key that is a list or a map is rejected. If a key occurs twice, the last one is used. Throws
 * if it is not YAML, or if its aliases make it endless or far larger than its text.
 */
export const yamlOf = (text: string): unknown => {
  const [document = null, ...more] = loadAll(text, { schema: YAML11_SCHEMA, json: true, maxAliases: aliasesAtMost })
  if (more.length > 0) throw new Error('There is more than one document.')
  return bounded(document)
}

const bounded = (document: unknown): unknown => {
  const values = [document]
  let size = 0
  for (const value of values) {
    size += typeof value === 'string' ? value.length : 1
    if (size + values.length > sizeAtMost) throw new Error('Its aliases make it too large.')
    if (typeof value === 'object' && value !== null) values.push(...Object.keys(value), ...Object.values(value))
  }
  return document
}
