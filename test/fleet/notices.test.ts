import { noticesPart } from '../verify/fleet/notices-part.ts'
import { shortForm } from './held.ts'

const sizes = { events: 0, clusters: 0, changing: 15 }

shortForm('a storm of notices', (folder) => noticesPart(folder, sizes), [
  'of a fleet that is well people hear nothing',
  '15 clusters that change in one sweep are one notice',
  'a rollout that has halted is told before it, by itself and as critical',
])
