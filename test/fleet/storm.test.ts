import { stormPart } from '../verify/fleet/storm-part.ts'
import { shortForm } from './held.ts'

const sizes = { events: 1_000, clusters: 0, changing: 0 }
/** A third of what a deployment has. */
const gapSeconds = 20

shortForm('a storm of events', (folder) => stormPart(folder, sizes, gapSeconds), [
  '1000 events of one cluster within 40 s cost at most 3 evaluations',
  'they lead to one rollout',
  'people hear once that it is needed and once that it is done',
  'an event of another cluster waits no longer than before',
  'no message is a dead letter',
])
