import { parse } from 'yaml'

/**
 * Parses a document like kube-proxy (sigs.k8s.io/yaml, YAML 1.1): `yes` is true, `016` is octal, `<<` merges, every
 * key is a text, and a key that is a list or a map is rejected. If a key occurs twice, the last one is used. Throws
 * if it is not YAML.
 */
export const yamlOf = (text: string): unknown =>
  parse(text, { version: '1.1', stringKeys: true, uniqueKeys: false, logLevel: 'error', prettyErrors: false })
