import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Told } from '../chapters/chapter.ts'
import { chapterText, code, packetsTitle, table, writePart } from '../chapters/page.ts'
import { versions } from '../proof/results.ts'
import type { Claim } from './claim.ts'
import { grounds } from './grounds.ts'

const root = join(import.meta.dirname, '../../..')
const all = { ...versions, 'kube-proxy': versions.kubernetes }
const json = (it: unknown): string => `${JSON.stringify(it, null, 2)}\n`

/** `whole`: nothing was left out, so that the page may be written anew. */
export function writeResults(
  told: readonly Told<Claim>[],
  { seconds, whole }: { seconds: number; whole: boolean },
): void {
  const folder = join(root, 'out/packets')
  mkdirSync(folder, { recursive: true })
  const claims = told.flatMap((it) => it.claims)
  const measured = told.flatMap((it) => it.tables)
  writeFileSync(join(folder, 'results.json'), json({ versions: all, seconds, claims, measured }))
  writeFigures(told.filter((it) => it.claims.every(({ holds }) => holds)))
  if (whole) writePart('packets', page(told))
}

const figuresFile = join(root, 'docs/packets.json')

/** Those of chapters that were not told, or did not hold, stay as they are. */
function writeFigures(told: readonly Told<Claim>[]): void {
  const before = existsSync(figuresFile)
    ? (JSON.parse(readFileSync(figuresFile, 'utf8')) as { figures: Figures })
    : undefined
  const kept = before?.figures.filter(({ chapter: title }) => !told.some((it) => it.title === title)) ?? []
  const figures = [...kept, ...figuresOf(told)]
  if (figures.length > 0) writeFileSync(figuresFile, json({ versions: all, figures }))
}

type Figures = ReturnType<typeof figuresOf>

/** Of each claim that has them: connections not treated as they should be, before, while, and after it was done. */
export const figuresOf = (told: readonly Told<Claim>[]) =>
  told.flatMap(({ title, claims }) =>
    claims.flatMap(({ claim, command, figures }) => (figures ? [{ chapter: title, claim, command, ...figures }] : [])),
  )

const introduction = `${packetsTitle}

What connections do while Calico is out of step, and after it has been put in step, as \`npm run packets\` showed it and wrote this part: Calico's
own Felix (${versions.felix}) and Kubernetes' own kube-proxy (${versions.kubernetes}) on two nodes, on Debian's kernel in an emulated machine, against a real
control plane. Each connection is tried from outside of the nodes, TCP and UDP; every node is a host endpoint that nothing may reach. Kubelets are
simulated, but for calico-node, whose pod starts and ends a Felix. Pods are network namespaces with a server. [\`packets.json\`](packets.json) has the
figures.

It needs Linux on x64, and the packages qemu-system-x86, cpio and kmod. Nothing is installed, and nothing listens but on 127.0.0.1.
`

export const page = (told: readonly Told<Claim>[]): string => [introduction, ...told.map(chapter), basis].join('\n')

const chapter = (told: Told<Claim>): string =>
  chapterText(told, {
    level: '###',
    head: ['claim', 'before', 'done', 'after'],
    row: (it) => [it.claim, it.before, code(it.command), it.after],
  })

/** Of Felix the Go module proxy serves one version, so not every claim can be run for all that the tool speaks of. */
const basis = `### What each claim rests on

Felix ${versions.felix} is what was run: other versions are not to be had as a Go module. What is said of them was computed by Calico's own code of that version, or
is read in its source.

${table(['claim', 'run', 'computed by Calico’s own code', 'read in the source'], grounds())}
`
