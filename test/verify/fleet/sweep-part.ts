import { fieldsOf, listOf, parseFields } from '../../../lab/aws/json.ts'
import { assemble } from '../../flow/assemble.ts'
import { nextSecond, until } from '../../until.ts'
import type { Claim, Sizes } from './claim.ts'
import { closed, type SweepLooks, sweepLooks, settings, sweptFleet, type SweptFleet } from './swept.ts'

/** Of the clusters that are swept, how many are not well, or will not be. */
const usual = { unreachable: 10, denied: 5, vanishing: 3, closing: 8 }

/** Sweeps over clusters of all kinds: all well, then some gone and an account closed, then functions killed in the middle. */
export const sweepPart = async (folder: string, { clusters }: Sizes, odd = usual): Promise<Claim[]> => {
  const well = Math.max(clusters - Object.values(odd).reduce((sum, count) => sum + count, 0), 1)
  const fleet = await sweptFleet(await assemble(folder, settings), { well, ...odd })
  try {
    const first = await sweep(fleet)
    for (const key of fleet.keys.vanishing) fleet.cloud.eks.removeCluster(key.split('/')[2] ?? '')
    fleet.close()
    // Sessions that functions keep are good for an hour: only new ones are refused.
    await fleet.cloud.kill('ListClusters')
    await fleet.cloud.kill('Evaluate')
    fleet.cloud.eks.inject({ operation: 'ListClusters', error: 'ThrottlingException', times: 3 })
    fleet.cloud.eks.inject({ operation: 'DescribeCluster', error: 'ThrottlingException', times: 20 })
    const second = await sweep(fleet)
    // Fired twice, as a schedule may be.
    const { looks: third, killed } = await sweepWithKills(fleet)
    return [
      ...claimsOf(fleet, { first, second, third, killed }),
      ...(await recordClaims(fleet)),
      await deadLetterClaim(fleet),
    ]
  } finally {
    await fleet.stop()
  }
}

/** One sweep from its schedule to its last look. A sweep's id has whole seconds. */
const sweep = async (fleet: SweptFleet, during?: (from: number) => Promise<void>): Promise<SweepLooks> => {
  await nextSecond()
  const from = fleet.moments.length
  fleet.cloud.fire()
  await during?.(from)
  await fleet.cloud.idle({ timeoutMilliseconds: 900_000 })
  return sweepLooks(fleet.moments.slice(from))
}

const sweepWithKills = async (fleet: SweptFleet): Promise<{ looks: SweepLooks; killed: number }> => {
  let killed = 0
  const looks = await sweep(fleet, async (from) => {
    fleet.cloud.fire()
    const hasBegun = (name: string) =>
      fleet.moments.slice(from).some((it) => it.kind === 'log' && it.function === name && it.line.includes('"message"'))
    for (const name of ['ListClusters', 'Evaluate']) {
      await until(`${name} to begin`, () => hasBegun(name))
      killed += await fleet.cloud.kill(name)
    }
  })
  return { looks, killed }
}

const all = ({ keys }: SweptFleet): string[] => Object.values(keys).flat()
const there = (fleet: SweptFleet): string[] => all(fleet).filter((key) => !fleet.keys.vanishing.includes(key))

interface Sweeps {
  first: SweepLooks
  second: SweepLooks
  third: SweepLooks
  killed: number
}

const claimsOf = (fleet: SweptFleet, { first, second, third, killed }: Sweeps): Claim[] => {
  // What was killed, or met something that did not answer, comes again; no other cluster is looked at twice.
  const once = (claim: string, { clusters, repeated, cameAgain }: SweepLooks, keys: string[]): Claim => {
    const lost = keys.filter((key) => !clusters.has(key))
    const twice = [...clusters].flatMap(([key, count]) => (count > 1 ? [`${key} ${count} times`] : []))
    const holds = lost.length === 0 && clusters.size === keys.length && repeated <= cameAgain
    const figures = `${clusters.size} of ${keys.length} clusters, ${repeated} looked at twice for ${cameAgain} messages that came again`
    const wrong = [...lost.map((key) => `${key} not at all`), ...twice].slice(0, 20)
    return { claim, holds, detail: [figures, ...(holds ? [] : wrong)].join('; ') }
  }
  return [
    once('a sweep looks at every cluster once', first, all(fleet)),
    once(
      'a sweep that EKS throttles, with an account closed and clusters gone, looks at every cluster once',
      second,
      there(fleet),
    ),
    once(
      'a sweep that is fired twice, with functions killed in the middle, loses no cluster and repeats only what was killed',
      third,
      there(fleet),
    ),
    { claim: 'functions were killed in the middle', holds: killed > 0, detail: `${killed}` },
  ]
}

type Rows = Awaited<ReturnType<SweptFleet['rows']>>

const recordClaims = async (fleet: SweptFleet): Promise<Claim[]> => {
  const rows = await fleet.rows()
  const { well, unreachable, denied, closing } = fleet.keys
  const wrong = [
    ...unlike(rows, well, { verdict: 'in-step' }),
    ...unlike(rows, unreachable, { verdict: 'unknown', code: 'UNREACHABLE' }),
    ...unlike(rows, [...denied, ...closing], { verdict: 'unknown', code: 'ACCESS_DENIED' }),
  ]
  const all = there(fleet).length
  return [
    {
      claim: 'each cluster is a row with the right verdict and its reason, one that cannot be reached among them',
      holds: wrong.length === 0,
      detail: [`${all - wrong.length} of ${all}`, ...wrong.slice(0, 20)].join('; '),
    },
    vanishedClaim(fleet, rows),
    placesClaim(fleet, rows),
  ]
}

/** The rows that are otherwise, with what they say instead. */
const unlike = (rows: Rows, keys: string[], expected: { verdict: string; code?: string }): string[] =>
  keys.flatMap((key) => {
    const row = rows.get(`${key} assessment`)
    if (!row) return [`${key} has no row`]
    const { observedAt, findings } = parseFields(row.report ?? '{}') ?? {}
    const found = listOf(findings).map(fieldsOf)
    const isRight =
      row.verdict === expected.verdict &&
      (expected.code === undefined || found.some(({ code }) => code === expected.code))
    const said = found.map(({ code, message }) => `${String(code)} ${String(message)}`)
    return isRight ? [] : [`${key} is ${row.verdict} since ${String(observedAt)}: ${said.join(', ') || 'no finding'}`]
  })

const vanishedClaim = ({ cloud, keys }: SweptFleet, rows: Rows): Claim => {
  const right = keys.vanishing.filter((key) => {
    const row = rows.get(`${key} assessment`)
    const about = `${key.split('/')[2]} (`
    const heard = cloud.deliveries.filter(({ subject }) => subject?.includes(about) && subject.includes('was deleted'))
    return row?.ended !== undefined && row.verdict === undefined && heard.length === 1
  })
  return {
    claim: 'a cluster that is gone has an end and no verdict, and people hear of it once',
    holds: right.length === keys.vanishing.length,
    detail: `${right.length}`,
  }
}

const placesClaim = ({ cloud }: SweptFleet, rows: Rows): Claim => {
  const right = settings.regions.filter((region) => {
    const row = rows.get(`places ${closed}/${region}`)
    const { cause, told } = fieldsOf(parseFields(row?.content ?? '{}')?.['unlisted'])
    const subject = `[critical] all clusters (${closed} ${region}): they cannot be listed`
    const heard = cloud.deliveries.filter((it) => it.subject === subject).length
    return row?.verdict === 'unknown' && cause === 'sts-denied' && told === true && heard === 1
  })
  return {
    claim: 'a place that cannot be listed is a row with the reason, of which people hear once after two sweeps',
    holds: right.length === settings.regions.length,
    detail: right.map((region) => `${closed}/${region}`).join(', '),
  }
}

const deadLetterClaim = async ({ cloud }: SweptFleet): Promise<Claim> => {
  const queues = ['EvaluationsDeadLetters', 'PlacesDeadLetters', 'SweepDeadLetters']
  const dead = (await Promise.all(queues.map((queue) => cloud.messages(queue)))).flat()
  return { claim: 'no message is a dead letter', holds: dead.length === 0, detail: `${dead.length}` }
}
