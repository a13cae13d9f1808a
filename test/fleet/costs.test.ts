import { costsPart } from '../verify/fleet/costs-part.ts'
import { shortForm } from './held.ts'

shortForm('what a fleet costs', (folder) => costsPart(folder), [
  'the counts of the page on cost are those of a run',
  'beside its looks a sweep reads and writes at most three times for each place',
])
