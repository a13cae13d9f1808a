import type { FelixNode } from '../felix-nodes/node.ts'
import type { Ground, GroundSpec } from './ground.ts'

/** Something the product says or does, and what the nodes showed of it. */
export interface Claim {
  claim: string
  /** What was run, as a reader would type it or as AWS would have it happen. */
  command: string
  /** What came out, read off the nodes: rules, Felix's starts, its health. Never off the product's own words about itself. */
  seen: string
  holds: boolean
}

/** Figures, as a table for people. */
export interface Measured {
  title: string
  head: string[]
  rows: string[][]
}

/** Claims that are shown on one cluster. */
export interface Chapter {
  /** As `--only` takes it. */
  name: string
  title: string
  ground: GroundSpec
  prove: (ground: Ground, claim: (claim: Claim) => void, measured: (table: Measured) => void) => Promise<void>
}

/** `ip-10-1-0-1` for `ip-10-1-0-1.ec2.internal`. */
export const shortName = ({ name }: Pick<FelixNode, 'name'>): string => name.split('.')[0] ?? name
