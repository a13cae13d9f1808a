import { sweepPart } from '../verify/fleet/sweep-part.ts'
import { shortForm } from './held.ts'

const odd = { unreachable: 2, denied: 2, vanishing: 2, closing: 3 }
const sizes = { events: 0, clusters: 21, changing: 0 }

shortForm('a sweep over clusters of all kinds', (folder) => sweepPart(folder, sizes, odd), [
  'a sweep looks at every cluster once',
  'a sweep that EKS throttles, with an account closed and clusters gone, looks at every cluster once',
  'a sweep that is fired twice, with functions killed in the middle, loses no cluster and repeats only what was killed',
  'functions were killed in the middle',
  'each cluster is a row with the right verdict and its reason, one that cannot be reached among them',
  'a cluster that is gone has an end and no verdict, and people hear of it once',
  'a place that cannot be listed is a row with the reason, of which people hear once after two sweeps',
  'no message is a dead letter',
])
