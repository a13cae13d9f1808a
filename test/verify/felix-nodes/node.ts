import { get } from 'node:http'
import { join } from 'node:path'
import { addIpvsLink, openWay, plugIn, removeIpvsLink, run, unplug, type Way } from './network.ts'
import type { NodeRequest } from './node-request.ts'
import { launchInNamespace, type Life, supervise } from './supervisor.ts'

/** A node with Calico's own Felix and a packet filter of its own. */
export interface FelixNode {
  readonly name: string
  /** Every start of Felix. */
  readonly lives: readonly Life[]
  /** What Felix says of itself at `/readiness`, each time it changed; milliseconds since the epoch. */
  readonly health: readonly { at: number; ready: boolean }[]
  isReady: () => boolean
  /** Lines of `iptables-save`, of both kinds of tables: Felix takes the one whose programs it finds at work. */
  rules: () => Promise<string[]>
  /** kube-proxy's IPVS device comes or goes. */
  link: (present: boolean) => Promise<void>
  /** Felix's way to the API server. */
  way: Pick<Way, 'cut' | 'restore'>
  /** Answers the file that its log goes to. */
  startFelix: (env: Record<string, string>) => string
  stopFelix: () => Promise<void>
  /** Felix dies on the spot and its supervisor starts another, as after a crash. */
  remove: () => Promise<void>
}

export interface FelixNodeRequest extends NodeRequest {
  felix: string
}

export async function createFelixNode(request: FelixNodeRequest): Promise<FelixNode> {
  const { name, address, felix, folder } = request
  // A link's name holds 15 characters: the node's own does not fit.
  const namespace = `n${address.split('.').slice(2).join('-')}`
  await plugIn(namespace, address)
  const way = await openWay(request.apiPort)
  const kubeconfig = request.kubeconfigFor(way.server)
  const supervised = supervise(launchInNamespace(namespace, felix))
  const health: { at: number; ready: boolean }[] = []
  const isReady = () => health.at(-1)?.ready ?? false
  const look = async () => {
    const at = Date.now()
    const ready = await readiness(address)
    if (ready !== isReady()) health.push({ at, ready })
  }
  const timer = setInterval(() => void look(), 100)
  let containers = 0
  return {
    name,
    lives: supervised.lives,
    health,
    isReady,
    rules: async () => {
      const saves = ['iptables-nft-save', 'iptables-legacy-save']
      return (await Promise.all(saves.map((save) => run('ip', 'netns', 'exec', namespace, save)))).join('').split('\n')
    },
    link: async (present) => void (await (present ? addIpvsLink(namespace) : removeIpvsLink(namespace))),
    way,
    startFelix: (env) => {
      containers += 1
      const log = join(folder, `felix-${namespace}-${containers}.log`)
      supervised.start({ ...env, ...ofTheLab(name, kubeconfig) }, log)
      return log
    },
    stopFelix: supervised.stop,
    remove: async () => {
      clearInterval(timer)
      await supervised.stop()
      way.close()
      await unplug(namespace)
    },
  }
}

export const healthPort = 9099

/** What calico-node's own start-up would have added, and what running outside of its image asks for. */
export const ofTheLab = (name: string, kubeconfig: string): Record<string, string> => ({
  KUBECONFIG: kubeconfig,
  FELIX_DATASTORETYPE: 'kubernetes',
  FELIX_FELIXHOSTNAME: name,
  // From outside of the namespace, unlike the kubelet's probe, which runs in the pod.
  FELIX_HEALTHHOST: '0.0.0.0',
  FELIX_HEALTHENABLED: 'true',
  // Built without cgo, Felix cannot take eBPF programs of an earlier life away, and there are none.
  FELIX_DEBUGSKIPCTLBCLEANUP: 'true',
  FELIX_LOGFILEPATH: 'none',
  FELIX_LOGSEVERITYFILE: 'none',
  FELIX_LOGSEVERITYSYS: 'none',
  FELIX_USAGEREPORTINGENABLED: 'false',
})

const readiness = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = get({ host: address, port: healthPort, path: '/readiness', timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 || response.statusCode === 204)
    })
    asked.once('error', () => resolve(false))
    asked.once('timeout', () => asked.destroy())
  })
