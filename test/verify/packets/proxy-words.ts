import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findBinary, kubeProxies } from '../../../lab/binaries.ts'
import { writeKubeconfig } from '../../../lab/control-plane/files.ts'
import type { ProxyMode } from '../../../lab/fixtures/cluster-spec.ts'
import { kubeProxyLog } from '../../../shared/clients/kube/logs.ts'
import type { Chapter, PlainClaim } from './claim.ts'
import { type Heard, hear, isOutdated, modes, type Start } from './proxy-start.ts'
import { type Ground, layMachine } from './ground.ts'
import { carryIn } from './node.ts'

/** Those that could be built here. */
const versions = (): string[] =>
  Object.entries(kubeProxies).flatMap(([version, program]) => (findBinary(program) === undefined ? [] : [version]))
const starts = (kernel: Start['kernel'], asked: readonly ProxyMode[]): Start[] =>
  versions().flatMap((version) => asked.map((mode) => ({ version, mode, kernel })))

/** What kube-proxy of several versions says when it starts, and whether the tool's reader of logs understands it. */
export const proxyWords: Chapter = {
  name: 'proxy-words',
  title: 'kube-proxy’s words',
  lay: (name) =>
    layMachine(
      name,
      versions().flatMap((version) => kubeProxies[version] ?? []),
    ),
  prove: async (ground, claim, measured) => {
    const as = await nodeOf(ground)
    const heard = await hearAll(ground, as, starts('ip_vs', modes))
    await ground.machine.run(withoutIpvs)
    heard.push(...(await hearAll(ground, as, starts('no ip_vs', ['ipvs']))))
    measured({
      title: 'How each start of kube-proxy went',
      head: ['kube-proxy', 'asked for', 'kernel', 'what its log says', '`/proxyMode`', '`kube-ipvs0`'],
      rows: heard.map((it) => [
        it.version,
        it.mode,
        it.kernel,
        sentences(it).join('; '),
        it.answered ?? `none: it ${it.exit === undefined ? endOf(it.exit) : `ended with ${it.exit}`}`,
        it.link
          ? 'there'
          : `not there${it.answered === 'ipvs' && isOutdated(it) ? ': it waits for EndpointSlices v1beta1, which the API server no longer has' : ''}`,
      ]),
    })
    const claims = [ranAll(Object.keys(kubeProxies), heard), ...judged(heard)]
    for (const it of claims) claim(it)
    if (claims.every(({ holds }) => holds)) record(heard)
  },
}

/** By what each says of itself: what was built under its name may be another. */
export function ranAll(all: readonly string[], heard: readonly Heard[]): PlainClaim {
  const isItself = ({ version, lines }: Heard) =>
    lines.some((line) => line.includes(`"Version info" version="${version}"`) || line.endsWith(`] Version: ${version}`))
  const ran = all.filter((version) => heard.some((it) => it.version === version && isItself(it)))
  return {
    claim: 'Every version of kube-proxy that is to be run was built and run.',
    command: 'kube-proxy --proxy-mode=MODE',
    before: all.join(', '),
    after: ran.join(', '),
    holds: all.length > 0 && ran.length === all.length,
  }
}

/** What is claimed of these starts. One that neither serves nor ends is of neither sort: no claim holds with it. */
export function judged(heard: readonly Heard[]): PlainClaim[] {
  const [running, ended] = [heard.filter((it) => it.answered), heard.filter((it) => !it.answered)]
  const understood = running.filter((it) => understand(it).mode === it.answered)
  const asAsked = running.filter((it) => it.answered === it.mode || fellBack(it))
  const said = ended.filter((it) => it.exit !== undefined && isSaidOf(it, understand(it).ended))
  const without = heard.filter(({ kernel }) => kernel === 'no ip_vs')
  const [old, late] = [without.filter(fallsBack), without.filter((it) => !fallsBack(it))]
  return [
    {
      claim:
        'From each log the tool reads the mode that `/proxyMode` of the same process answers, and this is the mode that was asked for, but for one that falls back where there is no ip_vs.',
      command: 'kube-proxy --proxy-mode=MODE',
      before: `${running.length} starts that answer`,
      after: `${understood.length} understood, ${asAsked.length} in the mode asked for or fallen back`,
      holds: running.length > 0 && understood.length === running.length && asAsked.length === running.length,
    },
    {
      claim: 'Where kube-proxy does not start, the tool reads why from the log of the container that ended.',
      command: 'kube-proxy --proxy-mode=MODE',
      before: `${ended.length} starts that end`,
      after: `${said.length} understood`,
      holds: ended.length > 0 && said.length === ended.length,
    },
    {
      claim: 'On a kernel without ip_vs kube-proxy up to 1.25 falls back to iptables; 1.30 and later end.',
      command: 'kube-proxy --proxy-mode=ipvs',
      before: '',
      after: without.map(({ version, answered, exit }) => `${version} ${answered ?? endOf(exit)}`).join(', '),
      holds:
        old.length > 0 &&
        late.length > 0 &&
        old.every(({ answered }) => answered === 'iptables') &&
        late.every(({ answered, exit }) => answered === undefined && exit !== undefined),
    },
  ]
}

/** The line is about the mode that was asked for, not about anything else that went wrong. */
const isSaidOf = ({ mode }: Start, line: string | undefined): boolean => line?.toLowerCase().includes(mode) ?? false

const fellBack = ({ mode, kernel, answered }: Heard): boolean =>
  kernel === 'no ip_vs' && mode === 'ipvs' && answered === 'iptables'
const fallsBack = ({ version }: Start): boolean => minor(version) <= 25
const endOf = (exit: number | undefined): string => (exit === undefined ? 'neither answers nor ends' : 'ends')

/** Two at a time, for the machine's two processors. */
async function hearAll(ground: Ground, as: { name: string; kubeconfig: string }, all: readonly Start[]) {
  const heard: Heard[] = []
  for (let at = 0; at < all.length; at += 2)
    heard.push(...(await Promise.all(all.slice(at, at + 2).map((start) => hear(ground, as, start)))))
  return heard
}

/** The node that each of them takes itself for. */
async function nodeOf({ cluster, machine, workdir }: Ground): Promise<{ name: string; kubeconfig: string }> {
  const { items } = (await cluster.request('GET', '/api/v1/nodes')) as { items: { metadata: { name: string } }[] }
  const kubeconfig = '/run/kubeconfig'
  const file = writeKubeconfig({
    file: join(workdir, 'machine.kubeconfig'),
    name: cluster.name,
    server: `https://${machine.host}:${new URL(cluster.server).port}`,
    serverName: 'localhost',
    caPem: Buffer.from(cluster.caData, 'base64').toString(),
    token: cluster.adminToken,
  })
  await carryIn(machine, file, kubeconfig)
  return { name: items[0]?.metadata.name ?? '', kubeconfig }
}

const recorded = join(import.meta.dirname, '../../vectors/kube-proxy-logs.jsonl')

/** For the tests of the reader: starts that were not recorded yet, or went otherwise. Of others the times alone would change. */
function record(heard: readonly Heard[]): void {
  const text = existsSync(recorded) ? readFileSync(recorded, 'utf8') : ''
  const rows = new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Heard)
      .map((it) => [keyOf(it), it]),
  )
  for (const it of heard.filter(cameToSomething))
    if (wentAs(it) !== wentAs(rows.get(keyOf(it))))
      rows.set(keyOf(it), { ...it, lines: it.lines.filter((line) => !isFlag(line)).slice(0, 80) })
  const lines = [...rows.values()].map((it) => `${JSON.stringify(it)}\n`)
  writeFileSync(recorded, lines.toSorted().join(''))
}

/** It answers, or has ended: what was given up is not how a start goes. */
const cameToSomething = ({ answered, exit }: Heard): boolean => answered !== undefined || exit !== undefined
/** Each flag and its value, repeated at the start: the same every time. */
const isFlag = (line: string): boolean => line.includes('FLAG: ')
/** Flags are deprecated, not a mode. */
const isOfFlags = (line: string): boolean => line.includes('all flags other than')
const keyOf = ({ version, mode, kernel }: Start): string => `${version} ${mode} ${kernel}`
const wentAs = (it: Heard | undefined): string =>
  JSON.stringify([it?.answered, it?.exit, it?.link, it && sentences(it).toSorted()])

const minor = (version: string): number => Number(version.split('.')[1])

const understand = ({ lines, answered }: Heard) => {
  const reader = kubeProxyLog({ ended: answered === undefined })
  reader.take(Buffer.from(lines.map((line) => `${line}\n`).join('')))
  return reader.evidence(true)
}

/** Of a log, what it says of the mode, without klog's head of time and place. */
const sentences = (heard: Heard): string[] => {
  const decisive = understand(heard)
  const about = heard.lines.filter(
    (line) =>
      !isFlag(line) && !isOfFlags(line) && /[Pp]roxier|proxy mode|kernel modules|Falling back|deprecated/.test(line),
  )
  const last = [decisive.line, decisive.ended].filter((line) => line !== undefined)
  return [...new Set([...about.slice(0, 4), ...last].map((line) => line.replace(/^[IWEF]\d{4} \S+ +\d+ /, '')))]
}

/** The modules are unloaded, and lie where nothing finds them. */
const withoutIpvs = `set -e
for try in $(seq 20); do modprobe -r xt_ipvs ip_vs_sh ip_vs_wrr ip_vs_rr ip_vs && break; sleep 1; done
if grep -q '^ip_vs ' /proc/modules; then echo 'ip_vs cannot be unloaded' >&2; exit 1; fi
mkdir /without
for file in $(find /lib/modules -name 'ip_vs*.ko*' -o -name 'xt_ipvs.ko*'); do mv "$file" /without; done
depmod`
