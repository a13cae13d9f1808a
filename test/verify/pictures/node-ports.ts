import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { builtIn, hostPort, range, services, wide } from '../packets/ports.ts'

const root = join(import.meta.dirname, '../../..')

const count = z.object({ wrong: z.number(), tried: z.number() })
const measured = z.object({
  figures: z.array(
    z.object({ chapter: z.string(), command: z.string(), before: count, during: count.optional(), after: count }),
  ),
})
export type Figures = z.infer<typeof measured>['figures']

/** What `npm run packets` counted; none where it has not written its figures yet. */
export const countedFigures = (): Figures => {
  try {
    return measured.parse(JSON.parse(readFileSync(join(root, 'docs/packets.json'), 'utf8'))).figures
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

interface Lane {
  port: number
  what: string
  question: string
  answer: 'no' | 'yes'
  outcome: readonly [string, string]
  isRight: boolean
  /** The chapter of the figures that show it. */
  chapter?: string
}

/** Where `sync` changes the range beneath a node port that works. */
const changed = 'The range is too small'
const dashed = (of: string): string => of.replace(':', '–')

/** The ports, and the ranges, that connections were counted with. */
const lanes: readonly Lane[] = [
  {
    port: services.inside.nodePort,
    what: 'node port of a Service',
    question: `in ${dashed(builtIn)}?`,
    answer: 'yes',
    outcome: ['forwarded to a pod,', 'whose policy decides'],
    isRight: true,
  },
  {
    port: services.outside.nodePort,
    what: 'node port of a Service',
    question: `in ${dashed(builtIn)}?`,
    answer: 'no',
    outcome: ['taken for traffic to the node, whose policy', 'decides. Where it is closed, they time out'],
    isRight: false,
    chapter: changed,
  },
  {
    port: hostPort,
    what: 'a process of the node',
    question: `in ${dashed(wide)}?`,
    answer: 'yes',
    outcome: ['taken for a Service: the node’s policy is not', 'asked. The port is open on every node'],
    isRight: false,
    chapter: 'The range is too wide',
  },
]

const style = `text{font:14px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1c2128}.b{font-weight:600}.s{fill:#59636e;font-size:13px}
.bad{fill:#c62f2a}.good{fill:#1a7f4b}.back{fill:#fff;stroke:#d5dbe1}.box{fill:#f6f8fa;stroke:#7d8792}.wrong{fill:#fdf1f0;stroke:#c62f2a}.right{fill:#eef8f2;stroke:#1a7f4b}
.line{stroke:#7d8792;stroke-width:1.5;fill:none}.head{fill:#7d8792}.given{fill:none;stroke:#1c2128}.has{fill:#1a7f4b}.misses{fill:none;stroke:#c62f2a;stroke-width:1.5;stroke-dasharray:4 3}
@media(prefers-color-scheme:dark){text{fill:#e4eaf0}.s{fill:#9aa5b1}.bad{fill:#ff746c}.good{fill:#45c082}.back{fill:#0f141a;stroke:#303a45}.box{fill:#181f27;stroke:#7f8b98}
.wrong{fill:#2a1717;stroke:#ff746c}.right{fill:#12261c;stroke:#45c082}.line{stroke:#7f8b98}.head{fill:#7f8b98}.given{stroke:#e4eaf0}.has{fill:#45c082}.misses{stroke:#ff746c}}`

const [width, laneTop, laneHeight] = [900, 166, 78]

/** Where a port lies on the axis. */
const at = (port: number): number => Math.round(300 + ((port - 18_000) / (33_500 - 18_000)) * 570)
const bar = (kind: string, from: number, to: number, y: number): string =>
  `<rect class="${kind}" x="${at(from)}" y="${y}" width="${at(to) - at(from)}" height="12"/>`
const text = (x: number, y: number, words: string, kind = ''): string =>
  `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${words}</text>`
const box = (x: number, y: number, w: number, kind: string): string =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${w}" height="54" rx="7"/>`
const arrow = (from: number, to: number, y: number): string =>
  `<path class="line" d="M${from} ${y}H${to - 7}"/><path class="head" d="M${to} ${y}l-9-5v10z"/>`

const ends = (of: string): [number, number] => of.split(':').map(Number) as [number, number]
const [[low, high], [calicoLow, calicoHigh]] = [ends(range), ends(builtIn)]

const axis = [
  text(24, 34, `The cluster’s node-port range became ${dashed(range)}. Calico still has ${dashed(builtIn)}.`, 'b'),
  text(24, 70, `Services may use ${dashed(range)}`),
  bar('given', low, high, 59),
  text(24, 96, `Calico has ${dashed(builtIn)}`),
  bar('misses', low, calicoLow, 85),
  bar('has', calicoLow, calicoHigh, 85),
  text(at(low) + 8, 114, `${low}–${calicoLow - 1} missing`, 'bad'),
  text(24, 148, 'A connection comes to a node, and Felix asks: is its port …', 's'),
]

const laneOf = (lane: Lane, index: number, figures: Figures): string[] => {
  const y = laneTop + index * laneHeight + (index > 1 ? 34 : 0)
  const counted = figures.find(({ chapter }) => chapter === lane.chapter)
  const sign = lane.isRight ? '✓' : '✕'
  return [
    ...(index > 1
      ? [
          text(
            24,
            y - 12,
            `The other way round: Services may use ${dashed(range)}, and Calico has ${dashed(wide)}.`,
            'b',
          ),
        ]
      : []),
    box(24, y, 200, 'box'),
    text(38, y + 23, `port ${lane.port}`, 'b'),
    text(38, y + 42, lane.what, 's'),
    arrow(224, 262, y + 27),
    box(262, y, 170, 'box'),
    text(276, y + 23, lane.question),
    text(276, y + 42, lane.answer, 'b'),
    arrow(432, 470, y + 27),
    box(470, y, 406, lane.isRight ? 'right' : 'wrong'),
    text(486, y + 33, sign, `b ${lane.isRight ? 'good' : 'bad'}`),
    text(512, y + 23, lane.outcome[0]),
    text(512, y + 42, lane.outcome[1]),
    ...(counted ? [text(486, y + 70, figuresText(counted), 's')] : []),
  ]
}

const of = ({ wrong, tried }: z.infer<typeof count>): string => `${wrong} of ${tried}`

const figuresText = ({ before, after }: Figures[number]): string =>
  `counted: ${of(before)} went wrong, ${of(after)} after sync`

/** Of the change itself, as `sync` makes it. */
const changeText = (figures: Figures): string => {
  const change = figures.find(({ during, chapter }) => during !== undefined && chapter === changed)
  return change?.during
    ? `counted: ${of(change.during)} new connections to a working node port failed while sync changed the range`
    : ''
}

const label =
  'A node port outside of Calico’s range is taken for traffic to the node, and the node’s policy decides about its connections. A port inside a range that is too wide is open past the node’s policy.'

/** What goes wrong while Calico is out of step, as a picture that is legible on light and on dark pages. */
export const nodePortsPicture = (figures: Figures): string => {
  const height = laneTop + lanes.length * laneHeight + 34 + 56
  const body = [
    ...axis,
    ...lanes.flatMap((lane, index) => laneOf(lane, index, figures)),
    text(24, height - 38, 'calico-ipvs-sync shows it for each node, and puts it right node by node.', 'b'),
    text(24, height - 17, changeText(figures), 's'),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}"><style>${style}</style>
<rect class="back" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10"/>
${body.join('\n')}
</svg>
`
}

export const writeNodePorts = (): void =>
  writeFileSync(join(root, 'docs/pictures/node-ports.svg'), nodePortsPicture(countedFigures()))
