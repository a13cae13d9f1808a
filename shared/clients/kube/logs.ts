import type { LogEvidence } from '../../domain/cluster.ts'
import { present } from '../foreign.ts'

/** Reads a log piece by piece and keeps only the evidence. */
export interface LogReader {
  /** `false`: the evidence is complete, no more is needed. */
  take: (piece: Buffer) => boolean
  /** `whole`: the log was read to its end. */
  evidence: (whole: boolean) => LogEvidence
}

const modes = ['iptables', 'ipvs', 'nftables'] as const

/**
 * kube-proxy logs once, at its start, which proxier it uses: `Using ipvs Proxier`, `Using iptables Proxy`. Up to 1.25
 * it logs before that which kernel modules for ipvs are missing. For a process that has ended, its last error is
 * kept.
 */
export function kubeProxyLog({ ended = false } = {}): LogReader {
  let found: LogEvidence = {}
  const lines = lineReader((line, at) => {
    if (ended && /^([EF]\d{4} |Error: |panic: )/.test(line)) found = present<LogEvidence>({ ...found, ended: line, at })
    const [, modules] = /kernel modules are not loaded: \[([\w, -]{1,300})\]/.exec(line) ?? []
    if (modules !== undefined) found = { ...found, missing: modules.split(/[, ]+/).filter(Boolean) }
    const [, said] = /\bUsing (\w+) (?:Proxier|Proxy)\b/.exec(line) ?? []
    const mode = modes.find((it) => it === said)
    if (ended || mode === undefined) return true
    found = present<LogEvidence>({ ...found, mode, line, at })
    return false
  })
  return { take: lines, evidence: () => found }
}

const start = /Successfully loaded configuration|Using internal \(linux\) dataplane driver/
const linkInBpf = /kube-proxy IPVS device found but we're in BPF mode/
const linkAppeared = /kube-proxy mode changed\. Restart felix\..*ipvsIfaceState="?(?:up|down)"? ipvsSupport=false/

/**
 * Felix checks for IPVS between loading its configuration and creating its dataplane, and logs it if found; without
 * that line it runs without IPVS (felix/dataplane/driver.go, felix/dataplane/linux/int_dataplane.go). The absence of
 * the line is evidence only if the start was logged at level Info: these lines come after the level was set, `Felix
 * starting up` comes before. Felix restarts inside its container, so the last start counts; between its end and the
 * next start nothing is known. In eBPF mode it finds the link, does not use it, and restarts because of it.
 */
export function felixLog(): LogReader {
  let found: LogEvidence = {}
  let link: LogEvidence['linkSeen']
  let starting: 'no' | 'yes' | 'with link' = 'no'
  const lines = lineReader((line, at) => {
    if (start.test(line)) {
      found = {}
      if (starting === 'no') starting = 'yes'
    } else if (line.includes('enabling felix kube-proxy ipvs support')) {
      found = present<LogEvidence>({ felixIpvs: true, line, at })
      starting = 'no'
    } else if (linkInBpf.test(line)) {
      link = present<NonNullable<typeof link>>({ line, at })
      starting = 'with link'
    } else if (/Felix starting up|Exiting for config change/.test(line)) {
      found = {}
      starting = 'no'
    } else if (starting !== 'no' && /\bint_dataplane\.go\b/.test(line)) {
      found = present<LogEvidence>({ felixIpvs: false, line, at })
      if (starting === 'yes') link = undefined
      starting = 'no'
    } else if (linkAppeared.test(line)) link = present<NonNullable<typeof link>>({ line, at })
    return true
  })
  return { take: lines, evidence: (whole) => (whole ? present<LogEvidence>({ ...found, linkSeen: link }) : {}) }
}

/** Longer lines are cut: no relevant line is long. */
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
