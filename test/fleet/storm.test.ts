import { stormPart } from '../verify/fleet/storm-part.ts'
import { shortForm } from './held.ts'

const sizes = { events: 1_000, clusters: 0, changing: 0 }

shortForm('a storm of events', (folder) => stormPart(folder, sizes), [
  '1000 events of one cluster cost at most 3 looks',
  'they lead to one rollout',
  'people hear once that it is needed and once that it is done',
  'an event of another cluster waits no longer than before',
  'no message is a dead letter',
])
