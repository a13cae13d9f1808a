import { spawn, spawnSync } from 'node:child_process'
import { getuid } from 'node:process'

/** Set in the program's environment where it runs inside. */
const inside = 'LAB_PRIVATE_NETWORK'

/** Programs that nodes with a packet filter need, and the Debian packages that bring them. */
const needed = { ip: 'iproute2', unshare: 'util-linux', 'iptables-legacy-save': 'iptables', ipset: 'ipset' }

/** Why nodes with a packet filter of their own cannot be had here, and what to do about it. Undefined: they can. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return `Felix programs the packet filter of Linux, and this is ${process.platform}.`
  if (getuid?.() !== 0)
    return 'Network namespaces and packet filters are root’s alone: run it as root, in a container with all capabilities for instance.'
  const missing = Object.entries(needed).filter(([program]) => !isThere(program))
  if (missing.length > 0) {
    const [programs, packages] = [missing.map(([program]) => program), missing.map(([, name]) => name)]
    return `${programs.join(', ')} cannot be found: install ${packages.join(' ')} (apt-get install -y ${packages.join(' ')}).`
  }
  return isThere('unshare', ['--net', 'true']) ? undefined : 'This machine does not let root make network namespaces.'
}

const isThere = (program: string, args = ['--help']): boolean => {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' })
  return error === undefined && (args[0] === '--help' || status === 0)
}

/**
 * Runs the program in namespaces of its own: nothing in it is seen by this machine's network, and when it ends, by whatever way, all
 * its processes, links and rules end with it. Answers its exit status, or undefined where this is the inside.
 */
export async function inPrivateNetwork(script: string, args: string[]): Promise<number | undefined> {
  if (process.env[inside]) return undefined
  const prepare = 'mount -t tmpfs lab /run && mkdir /run/netns && ip link set lo up && exec "$@"'
  const own = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const child = spawn('unshare', [...own, 'sh', '-c', prepare, 'sh', process.execPath, script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, [inside]: '1' },
  })
  // Ctrl-C reaches the inside too; this process waits for its end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
