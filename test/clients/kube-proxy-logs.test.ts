import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { kubeProxyLog } from '../../shared/clients/kube/logs.ts'

/** Logs of real kube-proxies, with what `/proxyMode` of the same process answered. */
interface Recorded {
  version: string
  mode: string
  kernel: string
  answered?: string
  lines: string[]
}

const recorded = readFileSync(join(import.meta.dirname, '../vectors/kube-proxy-logs.jsonl'), 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Recorded)

const evidence = ({ lines }: Recorded, ended: boolean) => {
  const reader = kubeProxyLog({ ended })
  reader.take(Buffer.from(lines.map((line) => `${line}\n`).join('')))
  return reader.evidence(true)
}

const named = recorded.map((it) => ({ name: `${it.version}, ${it.mode}, kernel with ${it.kernel}`, it }))

describe('the log of a real kube-proxy', () => {
  test.each(named.filter(({ it }) => it.answered))('$name: its mode', ({ it }) => {
    expect(evidence(it, false)).toMatchObject({ mode: it.answered })
  })

  test.each(named.filter(({ it }) => !it.answered))('$name: why it ended', ({ it }) => {
    expect(evidence(it, true).ended).toBeDefined()
    expect(evidence(it, false).mode).toBeUndefined()
  })
})
