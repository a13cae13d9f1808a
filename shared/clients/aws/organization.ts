import * as z from 'zod/mini'
import type { Selection } from '../../domain/organization.ts'
import { failed, read, type Read } from '../../domain/read.ts'
import { takingTurns } from '../concurrency.ts'
import { awsFailure } from './failure.ts'
import { inTime } from './limits.ts'
import { type OrganizationCall, type OrganizationPlace, patientCalls } from './organization-call.ts'

/** All pages, throttling and tries together; a sweep has five minutes. */
const readMs = 200_000
/** A fleet is configured with a thousand. What answers with more is not believed. */
const accountsAtMost = 2_000
/** Of one organization, by AWS's own quota. */
const unitsAtMost = 2_000
/** Tags are asked for account by account, at a few calls a second: more would not end in `readMs`, in no sweep. */
const tagsAtOnce = 4
const taggedAtMost = 600

/** Ids of the accounts that are active and selected, or why nobody knows: what could be read in part counts as not read. */
export const accountsIn = async (place: OrganizationPlace, selection: Selection): Promise<Read<string[]>> => {
  try {
    const within = async ({ abortSignal }: { abortSignal: AbortSignal }) => {
      const call = patientCalls(place, abortSignal)
      const active = selection.units ? await below(call, selection.units) : await activeOf(call, 'ListAccounts', {})
      if (!selection.tag) return active
      return await tagged(
        call,
        noMoreThan(active, taggedAtMost, 'active accounts whose tags must be read'),
        selection.tag,
      )
    }
    return read([...new Set(await inTime('organizations:ListAccounts', within, readMs))].toSorted())
  } catch (error) {
    return failed(awsFailure(error, 'organizations:ListAccounts'))
  }
}

const id = z.string().check(z.regex(/^\d{12}$/))
// `Status` is retired, and says what `State` says.
const account = z.object({ Id: id, State: z.optional(z.string()), Status: z.optional(z.string()) })
const next = { NextToken: z.nullish(z.string()) }
const accountsPage = z.object({ Accounts: z.array(account), ...next })
const unitsPage = z.object({ OrganizationalUnits: z.array(z.object({ Id: z.string() })), ...next })
const tagsPage = z.object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })), ...next })

const activeOf = async (call: OrganizationCall, operation: string, request: object): Promise<string[]> => {
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

const tagged = async (
  call: OrganizationCall,
  accounts: readonly string[],
  { key, value }: NonNullable<Selection['tag']>,
): Promise<string[]> => {
  const turn = takingTurns(tagsAtOnce)
  const isTagged = async (ResourceId: string) => {
    const pages = await turn(() => call('ListTagsForResource', { ResourceId }, tagsPage))
    const tag = pages.flatMap(({ Tags }) => Tags).find(({ Key }) => Key === key)
    return tag !== undefined && (value === undefined || tag.Value === value)
  }
  const kept = await Promise.all(accounts.map(isTagged))
  return accounts.filter((_, index) => kept[index])
}

const noMoreThan = (all: string[], most: number, what: string): string[] => {
  if (all.length <= most) return all
  const message = `There are more than ${most} ${what}: name fewer in organization.units.`
  throw Object.assign(new Error(message), { $metadata: { httpStatusCode: 200 } })
}
