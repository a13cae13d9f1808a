import type { Manifest } from '../../shared/domain/grant/objects.ts'
import { takingTurns } from '../../shared/clients/concurrency.ts'
import { asCalled } from '../called-as.ts'
import { exitStatus } from '../exit-status.ts'
import { type ProgressOutput, progress } from '../progress.ts'
import { manifestsOf } from '../rbac/manifests.ts'
import { confirmed } from '../confirm.ts'
import { printed, tell, widthOf, write } from '../streams.ts'
import { carryOut } from './carry-out.ts'
import type { GrantOptions } from './grant.ts'
import { rowFor, open, type Opened, type Wish } from './plan.ts'
import { isWrite, type Outcome, outcomeOf, type Row, whatOf } from './row.ts'
import { asJson, endText, newsText, planText } from './show.ts'
import { clustersMeant, type GrantTarget, type Unlisted } from './targets.ts'
import { troubleOf } from './trouble.ts'

/** Reads, shows, asks and applies. A cluster that fails is a row and does not stop the others. */
export const runGrant = async (options: GrantOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const wish: Wish = { ...options, manifests: await manifestsFor(options) }
  const found = await clustersMeant(options)
  const read = await inTurns(found, (one) => readRow(one, wish, telling))
  telling.clear()
  try {
    const rows = read.map(({ row }) => row)
    if (options.dryRun || !rows.some(({ acts }) => acts.some(isWrite))) return await ended(rows, options)
    if (!(await agreed(rows, options))) {
      await tell('Nothing was written.\n')
      return Math.max(statusOf(rows), exitStatus.outOfStep)
    }
    const done = await inTurns(read, ({ opened, row }) =>
      opened
        ? carryOut(opened, row, wish, (act) => telling.doing(`${row.place.cluster.name}: ${whatOf(act)}`))
        : Promise.resolve(row),
    )
    telling.clear()
    return await ended(done, options, rows)
  } finally {
    for (const { opened } of read) opened?.close()
  }
}

/**
 * `--remove` removes everything. The guard is created before the operators get access, and deleted after their
 * access.
 */
const manifestsFor = async ({ changes = false, guard, remove = false }: GrantOptions): Promise<Manifest[]> => {
  const all = await manifestsOf({ changes: changes || remove, guard: guard || remove })
  const isGuard = ({ kind }: Manifest) => kind.startsWith('ValidatingAdmissionPolicy')
  const [policies, rights] = [all.filter(isGuard), all.filter((it) => !isGuard(it))]
  return remove ? [...rights.toReversed(), ...policies.toReversed()] : [...policies, ...rights]
}

interface ReadRow {
  row: Row
  opened?: Opened
}

const readRow = async (one: GrantTarget | Unlisted, wish: Wish, telling: ProgressOutput): Promise<ReadRow> => {
  const { name, region, role } = one
  telling.doing(`reading ${name}`)
  const place = { cluster: { name, region }, ...(role !== undefined && { reachedBy: { role } }) }
  if ('failure' in one) return { row: { place, acts: [troubleOf(one.failure, { place, what: name })] } }
  const opened = await open(one, wish)
  return 'acts' in opened ? { row: opened } : { row: await rowFor(opened, wish), opened }
}

const atOnce = 8

const inTurns = <T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> => {
  const turns = takingTurns(atOnce)
  return Promise.all(items.map((item) => turns(() => act(item))))
}

/** The changes are shown before they are made, also without a question. */
const agreed = async (rows: readonly Row[], { yes, quiet, output, outputFile }: GrantOptions): Promise<boolean> => {
  if (!yes) {
    await tell(planText(rows, widthOf(process.stderr)))
    return confirmed('Carry it out? [y/N] ')
  }
  if (output === 'text' && outputFile === undefined)
    await write(process.stdout, asCalled(planText(rows, widthOf(process.stdout))))
  else if (!quiet) await tell(planText(rows, widthOf(process.stderr)))
  return true
}

/** Without `planned` nothing was shown yet. */
const ended = async (rows: readonly Row[], options: GrantOptions, planned?: readonly Row[]): Promise<number> => {
  await printed(options.output === 'json' ? asJson(rows, options) : asText(rows, options, planned), options)
  return statusOf(rows)
}

/** Changes that were shown and made are not repeated on the terminal; a file has all of them. */
const asText = (rows: readonly Row[], options: GrantOptions, planned?: readonly Row[]): string => {
  const width = widthOf(process.stdout, options.outputFile)
  const what = planned && options.outputFile === undefined ? newsText(planned, rows, width) : planText(rows, width)
  const isTold = planned !== undefined || rows.length > 1
  return `${what}${isTold ? `\n${endText(rows, options, width)}` : ''}`
}

const statusOf = (rows: readonly Row[]): number => {
  const outcomes = new Set<Outcome>(rows.map(outcomeOf))
  return outcomes.has('failed') ? exitStatus.failed : outcomes.has('left') ? exitStatus.outOfStep : exitStatus.inStep
}
