import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChapterResult } from '../chapters/chapter.ts'
import { chapterText, code, writePart } from '../chapters/page.ts'
import type { Claim } from './claim.ts'

const root = join(import.meta.dirname, '../../..')

export const versions = { felix: 'v3.28.4', kubernetes: 'v1.36.3' }

/** `whole`: nothing was left out, so that the page may be written anew. */
export function writeResults(
  told: ChapterResult<Claim>[],
  { seconds, whole }: { seconds: number; whole: boolean },
): void {
  const folder = join(root, 'out/proof')
  mkdirSync(folder, { recursive: true })
  const claims = told.flatMap((it) => it.claims)
  const measured = told.flatMap((it) => it.tables)
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ versions, seconds, claims, measured }, null, 2)}\n`)
  if (whole) writePart('rules', page(told))
}

const introduction = `# Proof on the real Felix

Each claim before “Proof with packets” was shown on running software by \`npm run proof\`, which wrote this part: Calico’s own Felix
(${versions.felix}) on every node, each in a network namespace with a packet filter of its own, against a real Kubernetes
control plane (${versions.kubernetes}), changed by this tool and judged only by what is on the nodes: their rules (\`iptables-save\`), the
starts of their Felix, its health. It needs Linux, root, and the packages iptables, ipset and iproute2.

What is not real: the kubelets are simulated, except for calico-node, whose pod starts and ends a Felix and is Ready when Felix reports
ready. Its readiness probe runs every second instead of every ten seconds, and the tool's waiting times are shortened by the same factor. kube-proxy
does not run: its pod and its log are simulated, and its device \`kube-ipvs0\`, whose name is all that Felix looks at, is created and deleted instead. There
is one version of Felix only: pods of an older Calico run it too, and their logs are kept as they were before it noticed the mode, which an
older Felix would not have noticed.

No operator runs here. That the operator of Calico 3.19 to 3.24 crashes on any value of \`spec.kubeNodePortRanges\` was read in its code
(projectcalico/calico#6508). What is shown is that the tool then writes only the annotation.
`

/** Its part of docs/proof.md, from what was shown. Its words are the same in every run; figures need not be. */
export const page = (told: readonly ChapterResult<Claim>[]): string => [introduction, ...told.map(chapter)].join('\n')

const chapter = (told: ChapterResult<Claim>): string =>
  chapterText(told, {
    level: '##',
    head: ['claim', 'command', 'seen'],
    row: (it) => [it.claim, code(it.command), it.seen],
  })
