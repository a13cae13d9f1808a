import { parse } from 'yaml'

/**
 * A document as kube-proxy's reader takes it (sigs.k8s.io/yaml, which is YAML 1.1): `yes` is true, `016` is octal, `<<`
 * merges, every key is a text, and one that is a list or a map is refused. Of a key that comes twice the last counts.
 * Throws where it is not YAML.
 */
export const yamlOf = (text: string): unknown =>
  parse(text, { version: '1.1', stringKeys: true, uniqueKeys: false, logLevel: 'error', prettyErrors: false })
