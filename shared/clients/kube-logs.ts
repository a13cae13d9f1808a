import type { LogEvidence } from '../domain/cluster.ts'
import { present } from './foreign.ts'

/** Takes a log piece by piece and keeps only what decides. */
export interface LogReader {
  /** `false`: it is decided, no more is needed. */
  take: (piece: Buffer) => boolean
  /** `whole`: the log was read to its end. */
  evidence: (whole: boolean) => LogEvidence
}

const modes = ['iptables', 'ipvs', 'nftables'] as const

/** kube-proxy says once, at its start, which proxier it uses: `Using ipvs Proxier`, `Using iptables Proxy`. */
export function kubeProxyLog(): LogReader {
  let found: LogEvidence = {}
  const lines = lineReader((line, at) => {
    const [, said] = /\bUsing (\w+) (?:Proxier|Proxy)\b/.exec(line) ?? []
    const mode = modes.find((it) => it === said)
    if (mode === undefined) return true
    found = present<LogEvidence>({ mode, line, at })
    return false
  })
  return { take: lines, evidence: () => found }
}

/**
 * Felix looks for IPVS between loading its configuration and creating its dataplane, and says so where it finds it; where
 * it goes on without a word, it runs without (felix/dataplane/driver.go, felix/dataplane/linux/int_dataplane.go). It
 * restarts inside its container, so the last start counts; between its end and the next start nothing is known.
 */
export function felixLog(): LogReader {
  let found: LogEvidence = {}
  let starting = false
  const lines = lineReader((line, at) => {
    if (/Felix starting up|Successfully loaded configuration|Using internal \(linux\) dataplane driver/.test(line)) {
      found = {}
      starting = true
    } else if (line.includes('enabling felix kube-proxy ipvs support')) {
      found = present<LogEvidence>({ felixIpvs: true, line, at })
      starting = false
    } else if (line.includes('Exiting for config change')) {
      found = {}
      starting = false
    } else if (starting && /\bint_dataplane\.go\b/.test(line)) {
      found = present<LogEvidence>({ felixIpvs: false, line, at })
      starting = false
    }
    return true
  })
  return { take: lines, evidence: (whole) => (whole ? found : {}) }
}

/** Longer lines are cut: no line that counts is long. */
const lineAtMost = 4_096

function lineReader(each: (line: string, at: string | undefined) => boolean): (piece: Buffer) => boolean {
  const decoder = new TextDecoder()
  let rest = ''
  return (piece) => {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = (lines.pop() ?? '').slice(0, lineAtMost)
    return lines.every((line) => {
      const [, at, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (.*)$/s.exec(line) ?? []
      return each((text ?? line).slice(0, 500).trimEnd(), at)
    })
  }
}
