import type { Report } from '../../../domain/report.ts'
import { clipped } from '../../text/letters.ts'
import { counted } from '../../wording.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { figure, key, percent, picture, row } from './figure.ts'
import { isShort, type MaskGroup, maskGroups, type OtherBits, othersByDefault, takenTwice } from './mark-groups.ts'

/** The 32 bits of the packet mark: whose they are, and whether Calico's are enough for the pods. */
export const markBits = (report: Report): Markup | undefined => {
  const groups = maskGroups(report.nodes)
  if (groups.length === 0) return undefined
  const twice = takenTwice(report)
  const others = othersByDefault()
  const shown = groups.slice(0, mostGroups)
  const hidden = groups.slice(mostGroups).reduce((sum, { count }) => sum + count, 0)
  return figure('The 32 bits of the packet mark, and whose they are', [
    ...shown.map((group) => groupRow(group, others, twice)),
    hidden > 0
      ? html`<p class="where">${counted(hidden, 'more node')} with other masks, in the table below.</p>`
      : undefined,
    key(keyOf(shown, others, twice)),
  ])
}

const mostGroups = 3

const groupRow = (group: MaskGroup, others: readonly OtherBits[], twice: readonly { bits: number }[]): Markup => {
  const { count, first, text, room, pods } = group
  const who = count === 1 ? first : counted(count, 'node')
  const known = room === undefined ? 'how Felix divides it is not known' : `room for ${counted(room, 'endpoint')}`
  const need = pods === undefined ? '' : `, up to ${counted(pods, 'pod')}`
  const words = html`<b>${who}</b> <code>${clipped(text, 20)}</code> <span class="where">${known}${need}</span>${isShort(group) ? html` <b class="bad">not enough</b>` : undefined}`
  const label = `${who}: mask ${clipped(text, 20)}, ${known}${need}`
  return row(words, html`${picture(label, 31, boxes(group, others, twice))}${capacity(group)}`)
}

type Kind = 'own' | 'endpoint' | 'mask' | 'twice' | 'usual' | 'free'

/** Bit 31 stands left, as one writes numbers. */
const boxes = (group: MaskGroup, others: readonly OtherBits[], twice: readonly { bits: number }[]): Markup[] => {
  const seen = kindsOf(group, twice)
  return Array.from({ length: 32 }, (_, at) => {
    const bit = 31 - at
    const other = others.find(({ bits }) => (bits >>> bit) & 1)
    const kind: Kind = seen[bit] ?? (other ? 'usual' : 'free')
    const sign = letters[kind] ?? other?.letter ?? ''
    const [x, middle] = [percent(at / 32), percent((at + 0.46) / 32)]
    const number =
      bit % 8 === 0 || bit === 31
        ? html`<text class="number" x="${middle}" y="29" text-anchor="middle">${bit}</text>`
        : undefined
    const letter =
      sign === '' ? undefined : html`<text class="${kind}" x="${middle}" y="13" text-anchor="middle">${sign}</text>`
    // The sign is to be read on the hatch.
    const ground =
      kind === 'twice'
        ? html`<rect class="ground" x="${percent((at + 0.3) / 32)}" width="1%" y="4" height="10"/>`
        : undefined
    return html`<rect class="${kind}" x="${x}" width="2.8%" y="1" height="16"/>${ground}${letter}${number}`
  })
}

const letters: Partial<Record<Kind, string>> = { own: 'c', endpoint: 'e', mask: 'c', twice: '!' }

/** Felix takes from the lowest bit on what it needs for itself; the rest numbers endpoints (felix/dataplane/driver.go). */
const kindsOf = ({ mask, own }: MaskGroup, twice: readonly { bits: number }[]): (Kind | undefined)[] => {
  let taken = 0
  return Array.from({ length: 32 }, (_, bit) => {
    if (!((mask >>> bit) & 1)) return undefined
    taken += 1
    if (twice.some(({ bits }) => (bits >>> bit) & 1)) return 'twice'
    return own === undefined ? 'mask' : taken <= own ? 'own' : 'endpoint'
  })
}

/** Pods against room: whole as long as there is room, hatched beyond. */
const capacity = (group: MaskGroup): Markup | undefined => {
  const { room, pods } = group
  if (room === undefined || pods === undefined) return undefined
  const all = Math.max(room, pods, 1)
  const fits = Math.min(room, pods)
  return picture(`${pods} pods at most, room for ${room} endpoints`, 10, [
    html`<rect class="room" x="0" width="${percent(room / all)}" y="1" height="8"/>`,
    html`<rect class="right" x="0" width="${percent(fits / all)}" y="1" height="8"/>`,
    ...(isShort(group)
      ? [
          html`<rect class="extra" x="${percent(fits / all)}" width="${percent((pods - fits) / all)}" y="1" height="8"/>`,
        ]
      : []),
  ])
}

const box = (kind: Kind, sign = letters[kind] ?? ''): Markup =>
  html`<rect class="${kind}" x="1" y="0" width="14" height="12"/><text class="${kind}" x="8" y="10" text-anchor="middle">${sign}</text>`

const keyOf = (groups: readonly MaskGroup[], others: readonly OtherBits[], twice: readonly { name: string }[]) => {
  const isDivided = groups.some(({ own }) => own !== undefined)
  const taken = [...new Set(twice.map(({ name }) => name))].slice(0, 4)
  return [
    ...(isDivided
      ? [
          { shape: box('own'), words: 'Calico, for itself' },
          { shape: box('endpoint'), words: 'Calico, to number endpoints' },
        ]
      : []),
    ...(groups.some(({ own }) => own === undefined) ? [{ shape: box('mask'), words: 'Calico' }] : []),
    ...(taken.length > 0 ? [{ shape: box('twice'), words: `taken by Calico and by ${taken.join(', ')}` }] : []),
    ...others.map(({ name, letter }) => ({ shape: box('usual', letter), words: `${name}, by default` })),
    { shape: box('free'), words: 'no user known' },
    ...(groups.some(({ room, pods }) => room !== undefined && pods !== undefined)
      ? [
          {
            shape: html`<rect class="right" x="1" y="2" width="8" height="8"/><rect class="room" x="1" y="2" width="14" height="8"/>`,
            words: 'pods, of the room there is',
          },
        ]
      : []),
  ]
}
