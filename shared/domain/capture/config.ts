import { configLength } from '../proxy-mode/configured.ts'
import { yamlOf } from '../proxy-mode/yaml.ts'

type Fields = Record<string, unknown>
const fields = (it: unknown): Fields => (typeof it === 'object' && it !== null ? (it as Fields) : {})

/** The fields of kube-proxy's configuration that decide something, as JSON (which is YAML too). Of a text that cannot be parsed only the kind of fault is kept. */
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
