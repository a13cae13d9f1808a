import type { Fields } from '../../../lab/aws/json.ts'
import { resolveTemplate } from '../../../lab/aws/template.ts'
import type { Moto } from '../../../lab/moto/moto.ts'
import type { Claim } from '../fleet/claim.ts'
import { inventory, since } from './ask.ts'
import { kinds } from './kinds.ts'
import { concessions, passedOver } from './shortfalls.ts'
import { countTypes, createStack, deleteStack, resourcesOf, runCdk, writeForMoto } from './stacks.ts'

interface Assembled {
  what: string
  folder: string
  assembly: string
  stack: string
}

/** A stack made by the CDK's command line and taken away again: all is made that moto can make, and nothing stays but what is kept. */
export const hubStack = async (moto: Moto, it: Assembled): Promise<Claim[]> => {
  const template = writeForMoto(it.assembly, it.stack)
  const before = await inventory(moto)
  await runCdk(moto, it.folder, ['deploy', '--app', it.assembly, '--require-approval', 'never'])
  const made = since(before, await inventory(moto))
  await runCdk(moto, it.folder, ['destroy', '--app', it.assembly, '--force'])
  return claimsOf(it.what, resourcesOf(template), { made, left: since(before, await inventory(moto)) })
}

/** `at`: where it is made, on which what is made there depends. */
export const spokeStack = async (moto: Moto, what: string, template: Fields, at: Place): Promise<Claim[]> => {
  const before = await inventory(moto)
  await createStack(moto, 'spoke', template)
  const made = since(before, await inventory(moto))
  await deleteStack(moto, 'spoke')
  return claimsOf(what, presentIn(template, at), { made, left: since(before, await inventory(moto)) })
}

interface Place {
  account: string
  region: string
}

/** As the template's conditions say. It names no asset, so that no folder is read for one. */
export const presentIn = (template: Fields, at: Place): Fields[] => {
  const where = { ...at, stackName: 'spoke', queuesUrl: 'http://127.0.0.1:1' }
  const { resources } = resolveTemplate({ template, folder: import.meta.dirname, stackName: 'spoke' }, where)
  return resources.map(({ type, deletion }) => ({ Type: type, DeletionPolicy: deletion }))
}

type Counts = Record<string, number>

/** What moto can make and list of it. */
export const listed = (resources: Fields[]): Counts =>
  countTypes(
    resources.filter(({ Type }) => kinds.some(({ type }) => type === Type) && !passedOver.includes(String(Type))),
  )

const claimsOf = (what: string, declared: Fields[], { made, left }: { made: Counts; left: Counts }): Claim[] => {
  const toBeMade = listed(declared)
  const toBeLeft = listed(declared.filter(({ DeletionPolicy }) => (DeletionPolicy ?? 'Delete') !== 'Delete'))
  return [
    {
      claim: `${what} is created, every resource of a type that moto can make and list among it`,
      holds: Object.keys(toBeMade).length > 0 && same(made, toBeMade),
      detail: same(made, toBeMade) ? said(made) : `${said(made)}; to be made: ${said(toBeMade)}`,
    },
    {
      claim: `${what} is deleted, and nothing is left but what is kept`,
      holds: same(left, toBeLeft),
      detail: same(left, toBeLeft) ? said(left) : `${said(left)}; to be left: ${said(toBeLeft)}`,
    },
  ]
}

export const same = (a: Counts, b: Counts): boolean => said(a) === said(b)

export const said = (counts: Counts): string =>
  Object.entries(counts)
    .map(([type, count]) => `${count} ${type}`)
    .join(', ') || 'nothing'

/** What moto cannot do is exactly what is listed: the types, and each concession by a template that needs it. */
export const shortfallClaims = async (moto: Moto): Promise<Claim[]> => {
  const types = moto.passedOver()
  const unlike = types.filter((it) => !passedOver.includes(it)).concat(passedOver.filter((it) => !types.includes(it)))
  const claims: Claim[] = [
    {
      claim: 'the types of resources that moto passes over are those that are listed',
      holds: unlike.length === 0,
      detail: unlike.length === 0 ? types.join(', ') : `not in both: ${unlike.join(', ')}`,
    },
  ]
  for (const [index, { what, probe }] of concessions.entries()) {
    const template = { Resources: probe.resources }
    const before = await inventory(moto)
    const error = await createStack(moto, `probe-${index}`, template).then(
      () => undefined,
      (reason: unknown) => String(reason),
    )
    if (error === undefined) await deleteStack(moto, `probe-${index}`)
    const isGone = same(since(before, await inventory(moto)), {})
    claims.push({
      claim: `moto: ${what}`,
      holds: probe.error === undefined ? error === undefined && isGone : probe.error.test(error ?? ''),
      ...(error !== undefined && { detail: error.replaceAll(/\s+/g, ' ').slice(0, 300) }),
    })
  }
  return claims
}
