import { readOnlyPart } from '../verify/fleet/read-only-part.ts'
import { shortForm } from './held.ts'

shortForm('spokes rolled out with Changes=no', readOnlyPart, [
  'each cluster of a spoke without an operator role is a row with its verdict',
  'where the hub expects an operator role, the row has the finding ACCESS_DENIED with what to do',
  'where the configuration names the viewer role alone, no rollout is tried, and the row has no such finding',
  'people are notified of each of these clusters, and not again by the next sweep',
  'nothing is written into these clusters',
  'no message is a dead letter',
])
