import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { table, versions } from '../proof/results.ts'
import type { Claim, Measured } from './claim.ts'

/** What came of a chapter. */
export interface Shown {
  title: string
  claims: Claim[]
  tables: Measured[]
}

const root = join(import.meta.dirname, '../../..')

/** `whole`: nothing was left out, so that the page may be written anew. */
export function writeResults(shown: readonly Shown[], { seconds, whole }: { seconds: number; whole: boolean }): void {
  const folder = join(root, 'out/packets')
  mkdirSync(folder, { recursive: true })
  const claims = shown.flatMap((it) => it.claims)
  const measured = shown.flatMap((it) => it.tables)
  const all = { ...versions, 'kube-proxy': versions.kubernetes }
  writeFileSync(
    join(folder, 'results.json'),
    `${JSON.stringify({ versions: all, seconds, claims, measured }, null, 2)}\n`,
  )
  if (whole) writeFileSync(join(root, 'docs/packets.md'), page(shown))
}

const introduction = `# Proof with packets

What packets do while Calico is out of step, and after it has been put in step. \`npm run packets\` wrote this page: Calico's own Felix
(${versions.felix}) and Kubernetes' own kube-proxy (${versions.kubernetes}) in IPVS mode on two nodes, on Debian's kernel in an emulated machine, against a real control
plane. Each connection is tried from outside of the nodes, TCP and UDP; every node is a host endpoint that nothing may reach. Kubelets are
simulated, but for calico-node, whose pod starts and ends a Felix. Pods are network namespaces with a server.

It needs Linux on x64, and the packages qemu-system-x86, cpio and kmod. Nothing is installed, and nothing listens but on 127.0.0.1.
`

export const page = (shown: readonly Shown[]): string => [introduction, ...shown.map(chapter)].join('\n')

const chapter = ({ title, claims, tables }: Shown): string =>
  [
    `## ${title}\n`,
    table(
      ['', 'claim', 'before', 'done', 'after'],
      claims.map((it) => [it.holds ? '✓' : '✗', it.claim, it.before, it.command, it.after]),
    ),
    ...tables.map(({ title: name, head, rows }) => `\n**${name}**\n\n${table(head, rows)}`),
    '',
  ].join('\n')
