import { counted, duration } from '../../wording.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { figure, key, percent, picture, row } from './figure.ts'

/** Writes of one rollout. */
export interface RolloutWrites {
  /** `halted` and the like, in words; absent where only its writes are known. */
  state?: string
  /** Where the picture ends, if the rollout did not. */
  until?: string
  lost?: string
  writes: readonly { at: string; what: string; object: string }[]
}

interface Row {
  name: string
  writes: { at: number; what: string }[]
}

/** A line for each node in the order in which they were touched: what was written when, and how long it was watched before the next. */
export const timeline = (rollout: RolloutWrites): Markup | undefined => {
  const rows = rowsOf(rollout)
  const times = rollout.writes.map(({ at }) => Date.parse(at)).filter((at) => !Number.isNaN(at))
  if (rows.length === 0 || times.length === 0) return undefined
  const from = times.reduce((a, b) => Math.min(a, b))
  const last = times.reduce((a, b) => Math.max(a, b))
  const to = Math.max(last, Date.parse(rollout.until ?? '') || last, from + 1)
  const hidden = rows.length - mostRows
  const shown = rows.slice(-mostRows)
  return figure(`The rollout, node by node${rollout.state === undefined ? '' : `: ${rollout.state}`}`, [
    hidden > 0 ? html`<p class="where">${counted(hidden, 'row')} before these.</p>` : undefined,
    ...shown.map((it) => rowPicture(it, { from, to, starts: startsOf(rows), lost: it.name === rollout.lost })),
    html`<p class="times"><span>${clock(from, 16)}</span><span>${duration((to - from) / 1000)}</span><span>${clock(to, 16)} UTC</span></p>`,
    key([
      ...kinds.filter(({ of }) => rows.some(({ writes }) => writes.some(({ what }) => of.includes(what)))),
      ...bars(rollout),
    ]),
  ])
}

const mostRows = 30

const rowsOf = ({ writes }: RolloutWrites): Row[] => {
  const rows = new Map<string, Row>()
  for (const { at, what, object } of writes) {
    const time = Date.parse(at)
    if (Number.isNaN(time) || !kinds.some(({ of }) => of.includes(what))) continue
    const name = nameOf(object)
    const known = rows.get(name)
    if (known) known.writes.push({ at: time, what })
    else rows.set(name, { name, writes: [{ at: time, what }] })
  }
  return [...rows.values()]
}

/** A node by its name, whatever object of its was written. */
const nameOf = (object: string): string => {
  const name = object.slice(object.lastIndexOf('/') + 1)
  return object.startsWith('FelixConfiguration/node.')
    ? name.slice('node.'.length)
    : name === '-'
      ? 'the rollout'
      : name
}

/** Shapes, so that greys tell them apart. */
const sign = (text: string, kind = 'step'): Markup =>
  html`<text class="${kind}" x="8" y="11" text-anchor="middle">${text}</text>`
const kinds: readonly { of: readonly string[]; text: string; words: string; shape: Markup }[] = [
  { of: ['override'], text: '▲', words: 'override written', shape: sign('▲') },
  { of: ['restart'], text: '●', words: 'calico-node restarted', shape: sign('●') },
  { of: ['promote'], text: '■', words: 'written to default', shape: sign('■') },
  { of: ['remove'], text: '△', words: 'override removed, not needed any more', shape: sign('△') },
  { of: ['take-back', 'roll-back', 'put-back'], text: '◁', words: 'former value given back', shape: sign('◁') },
  { of: ['halt'], text: '✕', words: 'did not come back: halted', shape: sign('✕', 'lost') },
]

const touches: readonly string[] = ['override', 'restart']
const isTouch = ({ what }: { what: string }): boolean => touches.includes(what)

/** When nodes were touched: a node was watched until the next of these. */
const startsOf = (rows: readonly Row[]): number[] =>
  rows
    .flatMap(({ writes }) => writes.filter(({ what }) => what !== 'remove').map(({ at }) => at))
    .toSorted((a, b) => a - b)

interface Span {
  from: number
  to: number
  starts: readonly number[]
  lost: boolean
}

const rowPicture = ({ name, writes }: Row, { from, to, starts, lost }: Span): Markup => {
  const share = (at: number): number => 0.02 + (0.96 * (at - from)) / (to - from)
  const words = writes
    .slice(0, 4)
    .map(({ at, what }) => `${kinds.find(({ of }) => of.includes(what))?.words ?? what} ${clock(at, 19).slice(11)}`)
    .join(' · ')
  const saysSo = writes.slice(0, 4).some(({ what }) => what === 'halt')
  // What was written after a halt is another attempt.
  const haltedAt = writes.find(({ what }) => what === 'halt')?.at ?? Infinity
  const watched = writes.filter(isTouch).map(({ at }) => {
    const until = starts.find((it) => it > at) ?? to
    return html`<rect class="${lost && at <= haltedAt ? 'extra' : 'watched'}" x="${percent(share(at))}" width="${percent(share(until) - share(at))}" y="5" height="4"><title>${duration((until - at) / 1000)}</title></rect>`
  })
  // What halted it lies on top of what followed within the same second.
  const inOrder = writes.slice(0, 20).toSorted((a, b) => Number(a.what === 'halt') - Number(b.what === 'halt'))
  const marks = inOrder.map(({ at, what }) => {
    const kind = kinds.find(({ of }) => of.includes(what))
    return html`<text class="${what === 'halt' ? 'lost' : 'step'}" x="${percent(share(at))}" y="12" text-anchor="middle">${kind?.text ?? ''}<title>${kind?.words ?? ''} ${clock(at, 19)}</title></text>`
  })
  return row(
    html`<b>${name}</b> <span class="where">${words}</span>${lost && !saysSo ? html` <b class="bad">did not come back</b>` : undefined}`,
    picture(`${name}: ${words}${lost && !saysSo ? ', did not come back' : ''}`, 15, [
      html`<line class="line" x1="0" x2="100%" y1="14" y2="14"/>`,
      ...watched,
      ...marks,
    ]),
  )
}

const clock = (at: number, length: number): string => new Date(at).toISOString().slice(0, length).replace('T', ' ')

const bars = ({ writes, lost }: RolloutWrites) =>
  writes.some(isTouch)
    ? [
        {
          shape: html`<rect class="watched" x="1" y="4" width="14" height="4"/>`,
          words: 'watched before the next step',
        },
        ...(lost === undefined
          ? []
          : [{ shape: html`<rect class="extra" x="1" y="4" width="14" height="4"/>`, words: 'waited for in vain' }]),
      ]
    : []
