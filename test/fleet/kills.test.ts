import { killsPart } from '../verify/fleet/kills-part.ts'
import { shortForm } from './held.ts'

const sizes = { events: 0, clusters: 0, changing: 0 }

/** One request instead of each. */
shortForm('functions that are killed in the middle of every message', (folder) => killsPart(folder, sizes, [2]), [
  'without kills the cluster is put in step, each node touched once, and people are notified',
  'every message',
  'nothing is lost: the cluster is put in step each time, with no override left',
  'nothing is done twice: the value of each node changes once each time',
  'each notice is sent once, and again only where a function was killed between the answer of SNS or Slack and its record',
  'no message is a dead letter, and nothing failed in the lab',
])
