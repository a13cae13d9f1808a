import { eventsPart } from '../verify/fleet/events-part.ts'
import { accounts, regions } from '../verify/fleet/stage.ts'
import { shortForm } from './held.ts'

const sizes = { events: 0, clusters: 0, changing: 0 }
/** One sender instead of five. */
const away = { account: accounts[1], region: regions[1] }

shortForm(
  'a hub and two spokes, through both templates as synthesized',
  (folder) => eventsPart(folder, sizes, [away]),
  [
    'a sweep puts a cluster of each account and region in step, by the roles of its own account',
    `each kind of event of ${away.account} ${away.region} leads to exactly the look that it should`,
    'an event of an account that is not in the fleet is heard by nobody',
    'an event that speaks of a cluster of yet another account is counted and dropped',
    'the roles of a spoke are taken by the functions that they trust, with the external id, and by no other',
    'nothing was lost on the way',
  ],
)
