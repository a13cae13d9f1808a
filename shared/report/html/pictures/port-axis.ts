import { normalise, type PortRange, subtract } from '../../../domain/ports.ts'
import type { Report } from '../../../domain/report.ts'
import { counted, rangeText, serviceRangeText } from '../../wording.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { figure, key, percent, picture, row } from './figure.ts'
import { type RangeGroup, rangeGroups, rangesOf, straysIn } from './port-groups.ts'

/** What Services may have, what Calico should have, and what it has, group by group of nodes, on one axis of ports. */
export const portAxis = (report: Report): Markup | undefined => {
  const { serviceRange, desiredRange } = report
  if (!serviceRange && !desiredRange) return undefined
  const desired = desiredRange && rangesOf(desiredRange)
  const strays = straysIn(report)
  const groups = rangeGroups(report.nodes)
  const shown = groups.slice(0, mostGroups).map((it) => ({ ...it, ranges: rangesOf(it.effective) }))
  const service = serviceRange && [{ min: serviceRange.min, max: serviceRange.max }]
  const inUse = report.portsInUse && rangesOf(report.portsInUse)
  const drawn = [service, inUse, desired, strays, ...shown.map(({ ranges }) => ranges)].flatMap((it) => it ?? [])
  const axis = axisOf(drawn)
  const hidden = groups.slice(mostGroups).reduce((sum, { count }) => sum + count, 0)
  const isAssumed = serviceRange?.source === 'default'
  return figure('Node ports: what Services may have, and what Felix takes for node ports', [
    serviceRange &&
      service &&
      row(
        html`Services may use <b>${serviceRangeText(serviceRange)}</b>`,
        bars(`service range ${serviceRangeText(serviceRange)}`, axis, [[isAssumed ? 'assumed' : 'given', service]]),
      ),
    inUse && inUse.length > 0 ? useRow(inUse, axis) : undefined,
    strays.length > 0 ? strayRow(strays, axis) : undefined,
    desired &&
      row(
        html`Calico should have <b>${rangeText(desiredRange, 8)}</b>`,
        bars(`desired range ${rangeText(desiredRange, 8)}`, axis, [['wanted', desired]]),
      ),
    ...shown.map((group) => groupRow(group, desired, axis)),
    scale(axis),
    hidden > 0
      ? html`<p class="where">${counted(hidden, 'more node')} in other groups, in the table below.</p>`
      : undefined,
    key(keyOf(shown, desired)),
  ])
}

const mostGroups = 8

type Shown = RangeGroup & { ranges: PortRange[] }

interface Axis {
  from: number
  to: number
}

/** With some room on either side; ports have an end. */
const axisOf = (ranges: readonly PortRange[]): Axis => {
  const low = ranges.reduce((least, { min }) => Math.min(least, min), 65_535)
  const high = ranges.reduce((most, { max }) => Math.max(most, max), 0)
  const room = Math.max(Math.round((high - low) / 20), 50)
  return { from: Math.max(low - room, 0), to: Math.min(high + room, 65_535) }
}

const share = ({ from, to }: Axis, port: number): number => (port - from) / (to - from)

const height = 14

const bars = (label: string, axis: Axis, parts: readonly (readonly [string, readonly PortRange[]])[]): Markup =>
  picture(label, height, [
    html`<line class="line" x1="0" x2="100%" y1="13" y2="13"/>`,
    ...parts.flatMap(([kind, ranges]) =>
      coarse(ranges, axis).map(
        ({ min, max }) =>
          html`<rect class="${kind}" x="${percent(share(axis, min))}" width="${percent(share(axis, max + 1) - share(axis, min))}" y="2" height="10"><title>${min === max ? `${min}` : `${min}:${max}`}</title></rect>`,
      ),
    ),
  ])

/** What lies closer together than can be seen is one; a list of a thousand items is as small as one of three hundred. */
const coarse = (ranges: readonly PortRange[], { from, to }: Axis): PortRange[] => {
  const least = (to - from) / 300
  const all: PortRange[] = []
  for (const range of normalise(ranges)) {
    const last = all.at(-1)
    if (last && range.min - last.max < least && all.length > 20) last.max = range.max
    else all.push({ ...range })
  }
  return all
}

const useRow = (ports: readonly PortRange[], axis: Axis): Markup => {
  const count = ports.reduce((sum, { min, max }) => sum + max - min + 1, 0)
  const words = `${counted(count, 'port')} of Services, ${brief(ports)}`
  return row(html`In use <b>${words}</b>`, bars(`in use: ${words}`, axis, [['used', ports]]))
}

const strayRow = (strays: readonly PortRange[], axis: Axis): Markup => {
  const ports = rangeText(
    strays.map(({ min }) => `${min}`),
    8,
  )
  return row(
    html`In use outside of it <b>${ports}</b>`,
    picture(`ports in use outside the service range: ${ports}`, height, [
      html`<line class="line" x1="0" x2="100%" y1="13" y2="13"/>`,
      ...strays.map(
        ({ min }) =>
          html`<text class="stray" x="${percent(share(axis, min))}" y="12" text-anchor="middle">▼<title>${min}</title></text>`,
      ),
    ]),
  )
}

const groupRow = (
  { count, first, ranges, text, from, isUsed }: Shown,
  desired: PortRange[] | undefined,
  axis: Axis,
): Markup => {
  const [missing, extra] = desired ? [subtract(desired, ranges), subtract(ranges, desired)] : [[], []]
  const faults = [
    ...(missing.length > 0 ? [`${brief(missing)} missing`] : []),
    ...(extra.length > 0 ? [`${brief(extra)} too many`] : []),
  ].join(', ')
  const not = isUsed ? '' : ' Not used: IPVS is not active there.'
  const who = count === 1 ? first : counted(count, 'node')
  const verdict = faults === '' ? undefined : html` <b class="${isUsed ? 'bad' : 'where'}">${faults}</b>`
  const words = html`<b>${who}</b> ${count === 1 ? 'has' : 'have'} ${text} <span class="where">from ${from}.${not}</span>${verdict}`
  const kinds = isUsed ? (['right', 'missing', 'extra'] as const) : (['idle', 'idle', 'idle'] as const)
  const parts = [
    [kinds[0], subtract(ranges, extra)],
    [kinds[2], extra],
    ...(isUsed ? [[kinds[1], missing] as const] : []),
  ] as const
  return row(words, bars(`${who}: ${text}${faults === '' ? '' : `, ${faults}`}`, axis, parts))
}

const brief = (ranges: readonly PortRange[]): string =>
  rangeText(
    ranges.map(({ min, max }) => (min === max ? `${min}` : `${min}:${max}`)),
    3,
  )

const scale = (axis: Axis): Markup =>
  html`<svg class="scale" width="100%" height="14" aria-hidden="true">${ticks(axis).map((port) => {
    const at = share(axis, port)
    const anchor = at < 0.06 ? 'start' : at > 0.94 ? 'end' : 'middle'
    return html`<text x="${percent(at)}" y="11" text-anchor="${anchor}">${port}</text>`
  })}</svg>`

/** Round numbers, four or five of them. */
const ticks = ({ from, to }: Axis): number[] => {
  const step =
    [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000].find((it) => (to - from) / it <= 5) ?? 20_000
  const first = Math.ceil(from / step) * step
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, at) => first + at * step)
}

const box = (kind: string): Markup => html`<rect class="${kind}" x="1" y="1" width="14" height="10"/>`

const keyOf = (groups: readonly Shown[], desired: PortRange[] | undefined) => {
  const used = groups.filter(({ isUsed }) => isUsed)
  const some = (test: (ranges: PortRange[]) => boolean): boolean => used.some(({ ranges }) => test(ranges))
  return [
    ...(used.length > 0 ? [{ shape: box('right'), words: 'as it should be' }] : []),
    ...(desired && some((it) => subtract(desired, it).length > 0) ? [{ shape: box('missing'), words: 'missing' }] : []),
    ...(desired && some((it) => subtract(it, desired).length > 0) ? [{ shape: box('extra'), words: 'too many' }] : []),
    ...(groups.length > used.length ? [{ shape: box('idle'), words: 'not used' }] : []),
  ]
}
