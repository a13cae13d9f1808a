import { groups, madeKey } from './groups.ts'

/** An access entry as EKS describes it. */
export interface AccessEntry {
  principalArn: string
  arn: string
  groups: string[]
  type: string
  /** Absent if the tags were not read. */
  tags?: Record<string, string>
}

export interface WantedEntry {
  principalArn: string
  group: string
}

/** The action for one access entry. `leave`: it differs, but `grant` must not change it. */
export type EntryAct = { on: 'entry'; principalArn: string } & (
  | { act: 'create'; groups: string[] }
  | { act: 'change'; arn: string; before: string[]; groups: string[]; mark?: 'extended' }
  | { act: 'keep'; groups: string[]; note?: string }
  | { act: 'delete' }
  | { act: 'leave'; why: string }
)

/** The role gets our group; its other groups do not change. */
export const entryFor = ({ principalArn, group }: WantedEntry, there: AccessEntry | undefined): EntryAct => {
  const entry = { on: 'entry', principalArn } as const
  if (!there) return { ...entry, act: 'create', groups: [group] }
  if (there.groups.includes(group)) {
    const isBoth = group === groups.viewers && there.groups.includes(groups.operators)
    const note = isBoth ? `it is in ${groups.operators} as well, so the viewer role could also make changes` : undefined
    return { ...entry, act: 'keep', groups: there.groups, ...(note !== undefined && { note }) }
  }
  if (there.type !== 'STANDARD')
    return { ...entry, act: 'leave', why: `it is of type ${there.type}, which has no groups: use another role` }
  const isMarked = there.tags?.[madeKey] !== undefined
  return {
    ...entry,
    act: 'change',
    arn: there.arn,
    before: there.groups,
    groups: [...there.groups, group],
    ...(!isMarked && { mark: 'extended' }),
  }
}

const ours: readonly string[] = Object.values(groups)

/** Access policies that others associated with the entry, and whether they are known. */
export interface Extras {
  policies: readonly string[] | undefined
}

/** Removes what `grant` created, and no more. `undefined`: the entry has none of our groups. */
export const entryWithout = (there: AccessEntry, { policies }: Extras): EntryAct | undefined => {
  const { principalArn, arn, groups: before } = there
  const entry = { on: 'entry', principalArn } as const
  const left = before.filter((group) => !ours.includes(group))
  // EKS always returns tags. If they were not read, an entry with only our groups counts as ours.
  const made = there.tags ? there.tags[madeKey] : left.length === 0 ? 'created' : 'extended'
  if (made === undefined) {
    if (left.length === before.length) return undefined
    return { ...entry, act: 'leave', why: `it has ${before.join(', ')}, but was not created by grant` }
  }
  const isFree = policies?.length === 0
  if (made === 'created' && left.length === 0 && isFree) return { ...entry, act: 'delete' }
  return left.length === before.length ? undefined : { ...entry, act: 'change', arn, before, groups: left }
}
