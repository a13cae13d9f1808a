import { configLength } from '../proxy-mode/configured.ts'
import { yamlOf } from '../proxy-mode/yaml.ts'

type Fields = Record<string, unknown>
const fields = (it: unknown): Fields => (typeof it === 'object' && it !== null ? (it as Fields) : {})

/**
 * The fields of kube-proxy's configuration that affect the result, as JSON (which is YAML too). If the text cannot be
 * parsed, only the kind of error is kept.
 */
export function keptConfig(text: string): string {
  if (text.length > configLength) return '#'.repeat(Math.min(text.length, 2 ** 20))
  try {
    const { mode, iptables, nftables, metricsBindAddress } = fields(yamlOf(text))
    const { masqueradeBit, masqueradeAll } = fields(iptables)
    const { masqueradeBit: nftablesBit } = fields(nftables)
    return JSON.stringify({
      mode,
      iptables: { masqueradeBit, masqueradeAll },
      nftables: { masqueradeBit: nftablesBit },
      metricsBindAddress,
    })
  } catch {
    return '[ not YAML'
  }
}
