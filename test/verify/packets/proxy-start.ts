import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../until.ts'
import { kubeProxies } from '../../../lab/binaries.ts'
import type { ProxyMode } from '../../../lab/fixtures/cluster-spec.ts'
import type { Ground } from './ground.ts'
import { askPause, inNamespace, plugIn } from './network.ts'
import { proxyCommand } from './node.ts'

export interface Start {
  version: string
  mode: ProxyMode
  kernel: 'ip_vs' | 'no ip_vs'
}

/** What came of a start. */
export interface Heard extends Start {
  /** By `/proxyMode`. Absent: it ended. */
  answered?: string
  exit?: number
  /** Whether `kube-ipvs0` was there then. */
  link: boolean
  /** Its log. */
  lines: string[]
}

/** It asks for an API that the API server no longer serves, and makes nothing until it is answered. */
export const isOutdated = ({ lines }: Pick<Heard, 'lines'>): boolean =>
  lines.some((line) => line.includes('Failed to watch *v1beta1.EndpointSlice'))

export const modes: readonly ProxyMode[] = ['ipvs', 'iptables', 'nftables']

let places = 0

/** Starts a kube-proxy on a node of its own, waits until it serves or ends, and ends it. */
export async function hear(
  { machine }: Pick<Ground, 'machine'>,
  as: { name: string; kubeconfig: string },
  start: Start,
): Promise<Heard> {
  places += 1
  const namespace = `p${places}`
  await machine.run(`set -e\n${plugIn(namespace, `10.1.100.${places}`)}`)
  const lines: string[] = []
  const command = proxyCommand({ ...as, mode: start.mode, program: kubeProxies[start.version] ?? '' })
  // A gate of its own up to 1.30; later ones refuse to hear of it once it is always open.
  const gate =
    start.mode === 'nftables' && /^v1\.(29|30)\./.test(start.version) ? ' --feature-gates=NFTablesProxyMode=true' : ''
  const proxy = machine.follow(inNamespace(namespace, command + gate), (line) => lines.push(line))
  const ends: (number | undefined)[] = []
  const watchEnd = async () => void ends.push(await proxy.exit)
  const watching = watchEnd()
  const answers: ProxyMode[] = []
  const asking = machine.follow(inNamespace(namespace, 'guest get http://127.0.0.1:10249/proxyMode'), (line) => {
    answers.push(...modes.filter((it) => it === line))
  })
  const isSeen = () => answers.length > 0 || ends.length > 0
  await until(`${start.version} in ${start.mode} mode`, isSeen, 240).catch(() => undefined)
  asking.end()
  // What is said of the mode is said by then; the link comes later, on a busy machine after half a minute.
  let link = false
  const hasLink = async () => {
    link = (await machine.run(`ip -n ${namespace} -o link`)).includes('kube-ipvs0')
    return link || ends.length > 0 || isOutdated({ lines })
  }
  if (answers.includes('ipvs')) await until('kube-ipvs0', hasLink, 60, askPause).catch(() => undefined)
  else if (ends.length === 0) await sleep(3_000)
  if (!link) await hasLink()
  const [[answered], [exit]] = [answers, ends]
  proxy.end()
  await watching
  await asking.exit
  await machine.run(`ip netns delete ${namespace}`)
  return {
    ...start,
    ...(answered === undefined ? {} : { answered }),
    ...(exit === undefined ? {} : { exit }),
    link,
    lines,
  }
}
