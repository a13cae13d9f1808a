import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProxyMode } from '../../../lab/fixtures/cluster-spec.ts'
import type { Following, Machine } from '../../../lab/machine/start.ts'
import { quoted } from '../../../shared/domain/shell.ts'
import type { NodeRequest } from '../felix-nodes/node-request.ts'
import { type FelixNode, healthPort, ofTheLab } from '../felix-nodes/node.ts'
import { supervise } from '../felix-nodes/supervisor.ts'
import { hub, inNamespace, namespaceOf, plugIn } from './network.ts'

/** A node in the virtual machine: Calico's own Felix and Kubernetes' own kube-proxy, on a kernel that has IPVS. */
export interface MachineNode extends FelixNode {
  address: string
  /** Its network namespace in the machine. */
  namespace: string
  /** Ends the kube-proxy that runs and starts another in this mode, which has done nothing yet when this answers. */
  startProxy: (mode: ProxyMode) => Promise<void>
  /** Every line that Felix has written in its present container. */
  felixLog: () => readonly string[]
  /** Every line that kube-proxy has written since its last start. */
  proxyLog: () => readonly string[]
}

export async function createMachineNode(machine: Machine, request: NodeRequest): Promise<MachineNode> {
  const { name, address, folder, apiPort } = request
  const namespace = namespaceOf(address)
  const kubeconfig = `/run/${namespace}.kubeconfig`
  await machine.run(`set -e\n${plugIn(namespace, address)}\n${kubeletsHint(namespace)}`)
  await carryIn(machine, request.kubeconfigFor(`https://${machine.host}:${apiPort}`), kubeconfig)
  const supervised = supervise((env, onLine) => {
    const variables = Object.entries(env).map(([key, value]) => `${key}=${quoted(value)}`)
    const felix = machine.follow(inNamespace(namespace, `env ${variables.join(' ')} felix /nonexistent`), onLine)
    return { ended: felix.exit.then((code) => (code === -1 ? undefined : code)), kill: felix.end }
  })
  const health = watchHealth(machine, namespace)
  let containers = 0
  let felixLog = ''
  let proxy: Following | undefined
  let proxyLines: string[] = []
  return {
    name,
    address,
    namespace,
    lives: supervised.lives,
    health: health.changes,
    isReady: () => health.changes.at(-1)?.ready ?? false,
    rules: async () => {
      const saves = ['iptables-nft-save', 'iptables-legacy-save']
      const run = async (save: string) => await machine.run(inNamespace(namespace, save))
      return (await Promise.all(saves.map(run))).join('\n').split('\n')
    },
    link: async (present) =>
      void (await machine.run(
        `ip -n ${namespace} link ${present ? 'add kube-ipvs0 type dummy' : 'delete kube-ipvs0'}`,
      )),
    way: {
      cut: () => void machine.run(`ip -n ${namespace} route delete default`),
      restore: () => void machine.run(`ip -n ${namespace} route add default via ${hub}`),
    },
    startFelix: (env) => {
      containers += 1
      felixLog = join(folder, `felix-${namespace}-${containers}.log`)
      supervised.start({ ...env, ...ofTheLab(name, kubeconfig) }, felixLog)
      return felixLog
    },
    stopFelix: supervised.stop,
    felixLog: () => readFileSync(felixLog, 'utf8').split('\n'),
    startProxy: async (mode) => {
      proxy?.end()
      await proxy?.exit
      proxyLines = []
      proxy = machine.follow(inNamespace(namespace, proxyCommand({ name, kubeconfig, mode })), (line) =>
        proxyLines.push(line),
      )
    },
    proxyLog: () => proxyLines,
    remove: async () => {
      health.stop()
      proxy?.end()
      await supervised.stop()
    },
  }
}

/**
 * By this chain of the kubelet's Felix learns at each start in which of the two sorts of iptables kube-proxy has its rules. Without it,
 * Felix counts rules, and a restart may change to the other sort: the rules that it leaves behind still decide.
 */
const kubeletsHint = (namespace: string): string =>
  `ip netns exec ${namespace} iptables-nft -t mangle -N KUBE-IPTABLES-HINT`

/** A file of this machine's, into the virtual one. */
export const carryIn = (machine: Machine, file: string, to: string): Promise<string> =>
  machine.run(`cat > ${to} <<'END'\n${readFileSync(file, 'utf8')}\nEND`)

export interface ProxyStart {
  /** Of the Node that it runs on. */
  name: string
  kubeconfig: string
  mode: ProxyMode
  /** In the machine's PATH. */
  program?: string
}

/** Node ports on the node's own address; the kernel's tables are as they are. */
export const proxyCommand = ({ name, kubeconfig, mode, program = 'kube-proxy' }: ProxyStart): string =>
  [
    program,
    `--proxy-mode=${mode}`,
    `--hostname-override=${name}`,
    `--kubeconfig=${kubeconfig}`,
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0',
    '--conntrack-tcp-timeout-close-wait=0',
    '--healthz-bind-address=127.0.0.1:10256',
    '--metrics-bind-address=127.0.0.1:10249',
    '--v=2',
  ].join(' ')

/** Felix's own word, from beside it, as the kubelet's probe asks. */
const watchHealth = (machine: Machine, namespace: string) => {
  const changes: { at: number; ready: boolean }[] = []
  const command = `guest health http://127.0.0.1:${healthPort}/readiness`
  const following = machine.follow(inNamespace(namespace, command), (line) => {
    const ready = line === 'ready'
    if (ready !== (changes.at(-1)?.ready ?? false)) changes.push({ at: Date.now(), ready })
  })
  return { changes, stop: following.end }
}
