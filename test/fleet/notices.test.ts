import { noticesPart } from '../verify/fleet/notices-part.ts'
import { shortForm } from './held.ts'

const sizes = { events: 0, clusters: 0, changing: 15 }
/** Half of what the long form has: of few clusters the last is looked at sooner. */
const settleSeconds = 10

shortForm('a storm of notices', (folder) => noticesPart(folder, sizes, settleSeconds), [
  'of a fleet that is well people hear nothing',
  '15 clusters that change in one sweep are one notice',
  'a rollout that has halted is told before it, by itself and as critical',
])
