import * as z from 'zod/mini'
import type { Found, Selection, Tagging } from '../../domain/organization.ts'
import { failed, read, type Read } from '../../domain/read.ts'
import { takingTurns } from '../concurrency.ts'
import { awsFailure } from './failure.ts'
import { inTime } from './limits.ts'
import {
  isTemporary,
  type Operation,
  type OrganizationCall,
  type OrganizationPlace,
  patientCalls,
} from './organization-call.ts'

/** All pages, throttling and tries together; a sweep has five minutes. */
const readMs = 200_000
/** A fleet is configured with a thousand. What answers with more is not believed. */
const accountsAtMost = 2_000
/** Of one organization, by AWS's own quota. */
const unitsAtMost = 2_000
/** Tags are asked for account by account, at a few calls a second. After this time the rest is left to the next sweeps. */
const tagsAtOnce = 4
const askMs = 150_000

interface Asking {
  /** Answers that earlier sweeps received. */
  known?: Tagging | undefined
  /** Whether there is time to ask for the tags of one more account. */
  mayAsk?: () => boolean
}

/** The accounts that are active and selected, or why nobody knows: a list that could be read in part counts as not read. */
export const accountsIn = async (
  place: OrganizationPlace,
  { units, tag }: Selection,
  { known, mayAsk = untilPassed(askMs) }: Asking = {},
): Promise<Read<Found>> => {
  try {
    const within = async ({ abortSignal }: { abortSignal: AbortSignal }): Promise<Found> => {
      const call = patientCalls(place, abortSignal)
      const listed = units ? await below(call, units) : await activeOf(call, 'ListAccounts', {})
      const active = [...new Set(listed)].toSorted()
      return tag ? tagged(call, active, { tag, known, mayAsk }) : { accounts: active }
    }
    return read(await inTime('organizations:ListAccounts', within, readMs))
  } catch (error) {
    return failed(awsFailure(error, 'organizations:ListAccounts'))
  }
}

const untilPassed = (ms: number): (() => boolean) => {
  const end = performance.now() + ms
  return () => performance.now() < end
}

const id = z.string().check(z.regex(/^\d{12}$/))
// `Status` is retired, and says what `State` says.
const account = z.object({ Id: id, State: z.optional(z.string()), Status: z.optional(z.string()) })
const next = { NextToken: z.nullish(z.string()) }
const accountsPage = z.object({ Accounts: z.array(account), ...next })
const unitsPage = z.object({ OrganizationalUnits: z.array(z.object({ Id: z.string() })), ...next })
const tagsPage = z.object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })), ...next })

const activeOf = async (call: OrganizationCall, operation: Operation, request: object): Promise<string[]> => {
  const found = (await call(operation, request, accountsPage)).flatMap(({ Accounts }) => Accounts)
  const active = found.filter(({ State, Status }) => (State ?? Status) === 'ACTIVE').map(({ Id }) => Id)
  return noMoreThan(active, accountsAtMost, 'active accounts')
}

/** Of each unit and of all units below it. */
const below = async (call: OrganizationCall, units: readonly string[]): Promise<string[]> => {
  const found: string[] = []
  const seen = new Set(units)
  for (const ParentId of seen) {
    found.push(...(await activeOf(call, 'ListAccountsForParent', { ParentId })))
    const pages = await call('ListOrganizationalUnitsForParent', { ParentId }, unitsPage)
    // A set is walked through with what is added meanwhile.
    for (const { Id } of pages.flatMap((page) => page.OrganizationalUnits)) seen.add(Id)
    noMoreThan([...seen], unitsAtMost, 'organizational units')
  }
  return noMoreThan(found, accountsAtMost, 'active accounts')
}

type Tag = NonNullable<Selection['tag']>

/**
 * First those that nobody has asked for, then those that were asked for longest ago, as long as there is time and AWS answers.
 * Answers that came before it throttled or failed count: the next sweep goes on from there. What is refused is refused for all.
 */
const tagged = async (
  call: OrganizationCall,
  active: readonly string[],
  { tag, known, mayAsk }: Required<Omit<Asking, 'known'>> & { tag: Tag; known: Tagging | undefined },
): Promise<Found> => {
  const name = JSON.stringify([tag.key, tag.value])
  const isActive = new Set(active)
  const before = known?.tag === name ? known.answers.filter(([account]) => isActive.has(account)) : []
  const isKnown = new Set(before.map(([account]) => account))
  const inOrder = [...active.filter((account) => !isKnown.has(account)), ...isKnown]
  const turn = takingTurns(tagsAtOnce)
  const faults: unknown[] = []
  const ask = (account: string) =>
    turn(async () => {
      if (faults.length > 0 || !mayAsk()) return undefined
      try {
        return [account, await isTagged(call, account, tag)] as const
      } catch (error) {
        faults.push(error)
        return undefined
      }
    })
  const asked = (await Promise.all(inOrder.map(ask))).filter((it) => it !== undefined)
  const fault = faults.find((it) => asked.length === 0 || !isTemporary(it))
  if (fault !== undefined) throw fault
  if (asked.length === 0 && active.length > 0) throw answered('There was no time left to ask for the tags of accounts.')
  const isAsked = new Set(asked.map(([account]) => account))
  const answers = [...before.filter(([account]) => !isAsked.has(account)), ...asked]
  return {
    accounts: answers.flatMap(([account, has]) => (has ? [account] : [])).toSorted(),
    tagging: { tag: name, answers },
    unasked: active.filter((account) => !isKnown.has(account) && !isAsked.has(account)),
  }
}

const isTagged = async (call: OrganizationCall, ResourceId: string, { key, value }: Tag): Promise<boolean> => {
  const pages = await call('ListTagsForResource', { ResourceId }, tagsPage)
  const tag = pages.flatMap(({ Tags }) => Tags).find(({ Key }) => Key === key)
  return tag !== undefined && (value === undefined || tag.Value === value)
}

const noMoreThan = (all: string[], most: number, what: string): string[] => {
  if (all.length <= most) return all
  throw answered(`There are more than ${most} ${what}: name fewer in organization.units.`)
}

/** AWS has answered, and the answer is of no use. */
const answered = (message: string): Error => Object.assign(new Error(message), { $metadata: { httpStatusCode: 200 } })
