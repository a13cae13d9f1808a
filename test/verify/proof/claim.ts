import type { Chapter as AnyChapter, Shown } from '../chapters/chapter.ts'
import type { FelixNode } from '../felix-nodes/node.ts'
import type { Ground, GroundSpec } from './ground.ts'

/** Something the product says or does, and what the nodes showed of it. */
export interface Claim extends Shown {
  /** What came out, read off the nodes: rules, Felix's starts, its health. Never off the product's own words about itself. */
  seen: string
}

export interface Chapter extends AnyChapter<Ground, Claim> {
  ground: GroundSpec
}

/** `ip-10-1-0-1` for `ip-10-1-0-1.ec2.internal`. */
export const shortName = ({ name }: Pick<FelixNode, 'name'>): string => name.split('.')[0] ?? name
