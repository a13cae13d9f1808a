import { bitsIn, bitsOfEvidence, markUsers, parseMask } from '../../../domain/mark.ts'
import type { NodeReport, Report } from '../../../domain/report.ts'

/** Nodes whose Felix has the same mask with the same room. */
export interface MaskGroup {
  count: number
  first: string
  text: string
  mask: number
  /** Of the mask's bits, from the lowest: what Felix needs for itself. Absent where it is not known. */
  own?: number
  room?: number
  pods?: number
}

/** Those without room first, then the larger groups. */
export const maskGroups = (nodes: readonly NodeReport[]): MaskGroup[] => {
  const groups = new Map<string, MaskGroup>()
  for (const node of nodes) {
    const { markMask, markCapacity, podsMax } = node
    const parsed = markMask === undefined ? undefined : parseMask(markMask)
    if (markMask === undefined || !parsed?.ok) continue
    const same = JSON.stringify([markMask, markCapacity, podsMax])
    const group = groups.get(same)
    if (group) group.count += 1
    else
      groups.set(same, { count: 1, first: node.name, text: markMask, mask: parsed.mask, ...roomOf(node, parsed.mask) })
  }
  return [...groups.values()].sort((a, b) => Number(isShort(b)) - Number(isShort(a)) || b.count - a.count)
}

export const isShort = ({ room, pods }: MaskGroup): boolean => room !== undefined && pods !== undefined && room < pods

/** Endpoints get 2^k - 2 marks of the k bits that Felix leaves them (felix/rules/epmark.go). */
const roomOf = ({ markCapacity: room, podsMax: pods }: NodeReport, mask: number): Partial<MaskGroup> => ({
  ...(room !== undefined && { room, own: room === 0 ? bitsIn(mask) : bitsIn(mask) - Math.round(Math.log2(room + 2)) }),
  ...(pods !== undefined && { pods }),
})

/** Others' bits. */
export interface OtherBits {
  name: string
  bits: number
  letter: string
}

/** On every node, with the bits they have unless they are told otherwise: a report does not say which they have here. */
const usual = markUsers({ programs: [{ neighbour: 'vpc-cni' }] })

export const othersByDefault = (): OtherBits[] =>
  usual.map(({ name, bits }, at) => ({ name, bits, letter: ['m', 'd', 'p', 'v'][at] ?? 'n' }))

/** Bits that a finding says are taken twice, and by whom. */
export const takenTwice = ({ findings }: Pick<Report, 'findings'>): { name: string; bits: number }[] =>
  findings
    .filter(({ code, severity }) => code === 'MARK_OVERLAP' && severity !== 'info')
    .flatMap(({ evidence }) => evidence.flatMap((it) => bitsOfEvidence(it) ?? []))
