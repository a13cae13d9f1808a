import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../infra/bundle.ts'
import { assemble } from '../../flow/assemble.ts'
import { nextSecond } from '../../until.ts'
import type { Claim } from './claim.ts'
import { type Counts, countsIn } from './costs.ts'
import { own, settings, sweptFleet, type SweptFleet } from './swept.ts'

/** Small, for the counts are of one look and of one place; enough that they do not hang on one of them. */
const clusters = 18

/** What a look costs that finds nothing new, one that an event asks for, and one that has news: as docs/deploy.md says it. */
export const costsPart = async (folder: string): Promise<Claim[]> => {
  const shape = { well: clusters, unreachable: 0, denied: 0, vanishing: 0, closing: 0 }
  const fleet = await sweptFleet(await assemble(folder, { ...settings, notices: { digest: false } }), shape)
  try {
    await swept(fleet)
    const quiet = await swept(fleet)
    const ofEvents = await afterEvents(fleet)
    await fleet.cut()
    const news = await swept(fleet)
    const places = settings.accounts.length * settings.regions.length
    return claimsOf({ quiet, ofEvents, news }, places)
  } finally {
    await fleet.stop()
  }
}

const swept = (fleet: SweptFleet): Promise<Counts> => during(fleet, () => fleet.cloud.fire())

const during = async ({ cloud, moments }: SweptFleet, act: () => void): Promise<Counts> => {
  // A sweep's id has whole seconds.
  await nextSecond()
  const from = moments.length
  act()
  await cloud.idle({ timeoutMilliseconds: 600_000 })
  return countsIn(moments.slice(from))
}

/** One event of each cluster in the hub's own account and region. */
const afterEvents = (fleet: SweptFleet): Promise<Counts> =>
  during(fleet, () => {
    for (const key of fleet.keys.well.filter((it) => it.startsWith(`${own}/eu-west-1/`))) {
      const requestParameters = { name: key.split('/')[2] }
      const detail = { eventSource: 'eks.amazonaws.com', eventName: 'UpdateAddon', readOnly: false, requestParameters }
      fleet.cloud.putEvent({ source: 'aws.eks', 'detail-type': 'AWS API Call via CloudTrail', detail })
    }
  })

interface Measured {
  quiet: Counts
  ofEvents: Counts
  news: Counts
}

const claimsOf = ({ quiet, ofEvents, news }: Measured, places: number): Claim[] => {
  const page = readFileSync(join(root, 'docs/deploy.md'), 'utf8')
  const each = (count: number, looks: number) => Math.round(count / looks)
  // A sweep reads and writes a little for each place, which is not of a look.
  const perLook = (of: 'reads' | 'writes', it: Counts) => Math.floor(it[of] / it.looks)
  const [reads, writes] = [perLook('reads', quiet), perLook('writes', quiet)]
  const [eventReads, eventWrites] = [each(ofEvents.reads, ofEvents.looks), each(ofEvents.writes, ofEvents.looks)]
  const newsWrites = each(news.writes - quiet.writes, news.looks)
  const lines = [
    `\`evaluations\` × ${said(reads, 'read')} and ${said(writes, 'write')}; another ${said(eventReads - reads, 'read')} and ${said(eventWrites - writes, 'write')} where an event asked for it, another ${said(newsWrites, 'write')} where the verdict changed`,
    `\`evaluations\` × ${each(quiet.parameters, quiet.looks)} call`,
    `${Math.floor((quiet.eks - places) / quiet.looks)} requests to EKS`,
    `\`evaluations\` × ${each(quiet.sqs, quiet.looks)} requests`,
    `\`evaluations\` × ${Math.ceil(quiet.logBytes / quiet.looks / 1_000)} kB of logs`,
  ]
  const missing = lines.filter((line) => !page.includes(line))
  return [
    {
      claim: 'the counts of the page on cost are those of a run',
      holds: missing.length === 0 && quiet.looks === clusters,
      detail: missing.length === 0 ? lines.join(' · ') : `docs/deploy.md does not say: ${missing.join(' · ')}`,
    },
    {
      claim:
        'beside its looks a sweep reads and writes at most three times for each place, and runs at most two functions',
      holds:
        quiet.around <= 2 * places &&
        quiet.reads - reads * quiet.looks <= 3 * places &&
        quiet.writes - writes * quiet.looks <= 3 * places,
      detail: JSON.stringify(quiet),
    },
  ]
}

const said = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
