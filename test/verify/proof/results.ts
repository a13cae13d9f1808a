import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Told } from '../chapters/chapter.ts'
import { chapterText, code, writePart } from '../chapters/page.ts'
import type { Claim } from './claim.ts'

const root = join(import.meta.dirname, '../../..')

export const versions = { felix: 'v3.28.4', kubernetes: 'v1.36.3' }

/** `whole`: nothing was left out, so that the page may be written anew. */
export function writeResults(told: Told<Claim>[], { seconds, whole }: { seconds: number; whole: boolean }): void {
  const folder = join(root, 'out/proof')
  mkdirSync(folder, { recursive: true })
  const claims = told.flatMap((it) => it.claims)
  const measured = told.flatMap((it) => it.tables)
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ versions, seconds, claims, measured }, null, 2)}\n`)
  if (whole) writePart('rules', page(told))
}

const introduction = `# Proof on the real Felix

Each claim below was shown on running software by \`npm run proof\`, which wrote this page: Calico’s own Felix
(${versions.felix}) on every node, each in a network namespace with a packet filter of its own, against a real Kubernetes
control plane (${versions.kubernetes}), driven by this tool and judged by the nodes alone: their rules (\`iptables-save\`), the
starts of their Felix, its health. It needs Linux, root, and the packages iptables, ipset and iproute2.

What is not real: the kubelets are simulated, but for calico-node, whose pod starts and ends a Felix and is ready when Felix says
so. Its readiness probe asks every second in place of every ten, and what the tool waits for is shortened in the same measure. kube-proxy
is told of, not run: its device \`kube-ipvs0\`, by whose name alone Felix goes, is made and removed in its place. There is one
Felix only: pods that say an older Calico have that Felix behind them too, and their logs kept as they stood before it noticed what an
older one would not have.

No operator runs here. That the one of Calico 3.19 to 3.24 crashes on any value of \`spec.kubeNodePortRanges\` is the word of its code
(projectcalico/calico#6508); shown is that the tool then writes the annotation alone.
`

/** Its part of docs/proof.md, from what was shown. Its words are the same in every run; figures need not be. */
export const page = (told: readonly Told<Claim>[]): string => [introduction, ...told.map(chapter)].join('\n')

const chapter = (told: Told<Claim>): string =>
  chapterText(told, {
    level: '##',
    head: ['claim', 'command', 'seen'],
    row: (it) => [it.claim, code(it.command), it.seen],
  })
