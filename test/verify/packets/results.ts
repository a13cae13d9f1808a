import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Measured, ChapterResult } from '../chapters/chapter.ts'
import { isBroken } from '../chapters/tell.ts'
import { chapterText, code, packetsTitle, proofPage, table, writePart } from '../chapters/page.ts'
import { writeNodePorts } from '../pictures/node-ports.ts'
import { versions } from '../proof/results.ts'
import type { Claim } from './claim.ts'
import { pace } from './ground.ts'
import { grounds } from './grounds.ts'
import { timeout } from './probe.ts'
import { patience, pause } from './streams.ts'

const root = join(import.meta.dirname, '../../..')
const file = join(root, 'out/packets/results.json')
const json = (it: unknown): string => `${JSON.stringify(it, null, 2)}\n`

export interface About {
  seconds: number
  /** Every chapter was told. */
  whole: boolean
  /** Only the results, while a run goes on. */
  resultsOnly?: true
  /** Of all chapters, in the order of the page. */
  titles: readonly string[]
  /** Of the machine: `6.1.0-57-cloud-amd64`. */
  kernel: string
}

/** Of a run of some chapters, the others' results stay; what is in `docs` is written anew once there are results of all. */
export function writeResults(
  told: readonly ChapterResult<Claim>[],
  { seconds, whole, resultsOnly, titles, kernel }: About,
): void {
  mkdirSync(dirname(file), { recursive: true })
  const run = { ...versions, 'kube-proxy': versions.kubernetes, kernel, node: process.version, code: loadedCode }
  const all = inOrder(titles, [...told, ...(whole ? [] : earlier(run))])
  const flat = {
    claims: all.flatMap(({ title, claims }) => claims.map((it) => ({ chapter: title, ...it }))),
    measured: all.flatMap(({ title, tables }) => tables.map((it) => ({ chapter: title, ...it }))),
  }
  writeFileSync(file, json({ versions: run, seconds, ...flat }))
  if (resultsOnly || writePages(titles)) return
  process.stderr.write('packets: docs stays as it was: not every chapter has been told to its end.\n')
}

/** What is in `docs`, of the results that are there. Answers whether it was written. */
export function writePages(titles: readonly string[]): boolean {
  const told = inOrder(titles, earlier())
  if (!isTold(titles, told) || read().versions['code'] !== loadedCode) return false
  writePart('packets', page(told, proofPage()))
  writeFileSync(join(root, 'docs/packets.json'), json({ versions: read().versions, figures: figuresOf(told) }))
  writeNodePorts()
  return true
}

/** All chapters, each to its end: a page would hide what was not shown. */
export const isTold = (titles: readonly string[], told: readonly ChapterResult<Claim>[]): boolean =>
  titles.every((title) => told.some((it) => it.title === title && !isBroken(it)))

/** The first of each title. */
export const inOrder = (titles: readonly string[], told: readonly ChapterResult<Claim>[]): ChapterResult<Claim>[] =>
  titles.flatMap((title) => told.find((it) => it.title === title) ?? [])

/** Of all that decides what a run shows. */
function codeHash(): string {
  const hash = createHash('sha256')
  for (const folder of ['cli', 'shared', 'test/verify', 'lab'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).toSorted())
      if (/\.(?:ts|mjs|go|sh|mod)$/.test(name)) hash.update(name).update(readFileSync(join(root, folder, name)))
  return hash.digest('hex').slice(0, 12)
}

/** What is edited during a run is not what was shown. */
const loadedCode = codeHash()

interface Results {
  versions: Record<string, string>
  claims: (Claim & { chapter: string })[]
  measured: (Measured & { chapter: string })[]
}

const read = (): Results => JSON.parse(readFileSync(file, 'utf8')) as Results

/** Of the same versions, and of the same tool and chapters: a page speaks of one run's. */
function earlier(of?: Results['versions']): ChapterResult<Claim>[] {
  if (!existsSync(file)) return []
  const { claims, measured, versions: then } = read()
  if (of !== undefined && !isDeepStrictEqual(of, then)) {
    process.stderr.write('packets: what is in out/packets is of other versions or other code, and is dropped.\n')
    return []
  }
  const belonging = <T extends { chapter: string }>(title: string, all: readonly T[]) =>
    all.filter(({ chapter }) => chapter === title)
  return [...new Set(claims.map((it) => it.chapter))].map((title) => ({
    title,
    claims: belonging(title, claims),
    tables: belonging(title, measured),
  }))
}

/** Of each claim that has them: connections not treated as they should be, before, while, and after it was done. */
export const figuresOf = (told: readonly ChapterResult<Claim>[]) =>
  told.flatMap(({ title, claims }) =>
    claims.flatMap(({ claim, command, figures }) => (figures ? [{ chapter: title, claim, command, ...figures }] : [])),
  )

const introduction = `${packetsTitle}

What connections do while Calico is out of step, and after it has been put in step, as \`npm run packets\` showed it and wrote this part: Calico's
own Felix (${versions.felix}) and Kubernetes' own kube-proxy (${versions.kubernetes}) on two nodes, on Debian's kernel in an emulated machine, against a real
control plane. Each connection is a new one, to node ports from outside of the nodes; a policy of Calico lets nothing but its failsafe ports reach the nodes
themselves (each is a host endpoint). Other policy on node ports, pre-DNAT too, is in a chapter of its own: elsewhere node ports
pass because there is none. A connection counts as failed when it is refused, not made within ${timeout / 1000} seconds, or not answered within
${timeout / 1000} more; meanwhile a lost packet is sent again, as TCP does, a datagram after one second.
Kubelets are simulated, but for calico-node, whose pod starts and ends a Felix. Its readiness probe runs every second, and the tool waits
${pace.canarySeconds} seconds after the first node and ${pace.settleSeconds} after each other. Pods are network namespaces with a server.
Felix has \`FELIX_DEFAULTENDPOINTTOHOSTACTION=ACCEPT\`, as the operator sets it. Where streams that were open before
a change are counted, each is asked again ${pause / 1000} s after each answer, and is broken when it is reset or not answered within ${patience / 1000} s.
[\`packets.json\`](packets.json) has the figures.

It needs Linux on x64, and the packages qemu-system-x86, cpio and kmod. Debian's kernel comes from its archive (50 MB; \`apt-get update\` first). Nothing is
installed, and everything listens on 127.0.0.1 only.
`

/** `rules`: the page with the proof on rules. */
export const page = (told: readonly ChapterResult<Claim>[], rules: string): string =>
  [introduction, ...told.map(chapter), basis(grounds(told, rules))].join('\n')

const chapter = (told: ChapterResult<Claim>): string =>
  chapterText(told, {
    level: '###',
    head: ['claim', 'before', 'done', 'after'],
    row: (it) => [it.claim, it.before, code(it.command), it.after],
  })

/** Of Felix the Go module proxy serves one version, so not every claim can be run for all that the tool speaks of. */
const basis = (rows: string[][]): string => `### What each claim rests on

Felix ${versions.felix} is what was run: the whole of no other version is to be had as a Go module. What is said of others was computed by the configuration code of that
version (recorded in \`test/vectors\`), or is read in its source.

${table(['claim', 'run', 'computed by Calico’s own code', 'read in the source'], rows)}
`
