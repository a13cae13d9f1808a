import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../infra/bundle.ts'
import type { Fields } from '../../../lab/aws/json.ts'
import { defaultAccount, type Moto, startMoto } from '../../../lab/moto/moto.ts'
import { spokeTemplate } from '../../../shared/domain/spoke/template.ts'
import type { Claim } from '../fleet/claim.ts'
import { type Inventory, inventory, since } from './ask.ts'
import { listed, presentIn, said, same } from './emulated.ts'
import { kinds } from './kinds.ts'
import { foundOrganization } from './organization.ts'
import { type Command, commandsOfPage, fleetPage } from './page.ts'
import { type Shell, startShell } from './shell.ts'
import { resourcesOf } from './stacks.ts'

/** Commands of the page that cannot be carried out on moto, and where they are tried instead. */
const elsewhere: readonly (readonly [RegExp, string])[] = [
  [/^aws organizations put-resource-policy/, 'moto has no such policy; test/infra/roles.test.ts'],
  [/^npx calico-ipvs-sync grant/, 'moto knows no access entries; test/flow/pasted.test.ts'],
]

/** Of the page. */
const [unitOfPage, accountOfPage] = ['ou-ab12-34cd56ef', '111122223333']
const [hubRegion, further] = ['eu-west-1', 'eu-central-1']

/** What must be seen after a command; every other must end with status 0 alone. */
const seen: readonly (readonly [RegExp, RegExp])[] = [
  [/^spoke=/, /^calico-ipvs-sync-spoke$/m],
  [/^queue=/, /Undelivered/],
  [/^aws cloudformation list-stack-set-operations/, /SUCCEEDED/],
]

/**
 * Every command of `docs/fleet.md` in its order, as it stands there, from the StackSet to its removal: an organization with two accounts
 * in a unit, and a further region of the hub's own account.
 */
export const spokesPageClaims = async (folder: string): Promise<Claim[]> => {
  mkdirSync(folder, { recursive: true })
  const moto = await startMoto({ region: hubRegion, workdir: folder })
  const shell = startShell(moto, folder)
  try {
    const fleet = await fleetOf(moto)
    const before = await fleet.inventory()
    const more = async () => since(before, await fleet.inventory())
    const claims: Claim[] = []
    for (const command of commandsOfPage(fleetPage())) {
      if (elsewhere.some(([pattern]) => pattern.test(command.text))) continue
      const isRemoval = command.text.startsWith('aws cloudformation delete-stack-instances')
      if (isRemoval) claims.push(madeClaim(await more(), fleet.places))
      claims.push(await followed(shell, command, fleet.unit))
      if (isRemoval) {
        claims.push(passedOverClaim(await more()))
        await shell.run(inRegion(hubRegion, byAccounts(command.text, fleet.accounts)))
      }
    }
    const left = await more()
    const claim = 'after the spokes were removed nothing is left of them in any account and region'
    return [...claims, { claim, holds: same(left, {}), detail: said(left) }]
  } finally {
    shell.end()
    await moto.stop()
  }
}

/** Two accounts in a unit, and where spokes are in the end. */
const fleetOf = async (moto: Moto) => {
  const { root: top, unitIn, accountIn } = await foundOrganization(moto)
  const unit = await unitIn(top, 'clusters')
  const accounts = [await accountIn(unit, 'prod'), await accountIn(unit, 'test')]
  const ofStackSet = accounts.flatMap((account) => [hubRegion, further].map((region) => ({ account, region })))
  return {
    unit,
    accounts,
    places: [...ofStackSet, { account: defaultAccount, region: further }],
    inventory: () => inventoryOf(moto, [defaultAccount, ...accounts]),
  }
}

const followed = async (shell: Shell, { text, section }: Command, unit: string): Promise<Claim> => {
  // The queue that is asked for is one of that region.
  const region = section === 'Which events are received' ? further : hubRegion
  const shown = text.replace(/^(spoke|queue)=.*$/s, '$&; echo "$$$1"')
  const { status, said: heard } = await shell.run(inRegion(region, here(shown, unit)))
  const wanted = seen.find(([pattern]) => pattern.test(text))?.[1]
  const holds = status === 0 && (wanted === undefined || wanted.test(heard))
  return { claim: `${section}: ${text}`, holds, ...(!holds && { detail: `${status}: ${heard.slice(-1_000)}` }) }
}

const inRegion = (region: string, text: string): string =>
  `export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}; ${text}`

/** With what the emulator calls what the page names. */
const here = (text: string, unit: string): string =>
  text
    .replaceAll(unitOfPage, unit)
    .replaceAll(accountOfPage, defaultAccount)
    // Version 1 of `aws` asks a former host name of SQS.
    .replace(/^aws sqs /, 'aws --endpoint-url "$AWS_ENDPOINT_URL" sqs ')
    .replaceAll('npx calico-ipvs-sync', `"${process.execPath}" "${join(root, 'cli/bin.mjs')}"`)

const byAccounts = (text: string, accounts: string[]): string =>
  text.replace(/--deployment-targets \S+/, `--accounts ${accounts.join(' ')}`)

const template = JSON.parse(
  JSON.stringify(spokeTemplate({ hubAccount: defaultAccount, hubRegion, externalId: 'ours' })),
) as Fields
const types = new Set(resourcesOf(template).map(({ Type }) => Type))
const ofSpokes = kinds.filter(({ type }) => types.has(type))

/** Roles are of an account, everything else of a region of it. */
const inventoryOf = async (moto: Moto, accounts: string[]): Promise<Inventory> => {
  const all: Inventory = new Map()
  for (const account of accounts)
    for (const region of [hubRegion, further])
      for (const [type, names] of await inventory({ ...moto, account, region }, ofSpokes)) {
        if (type === 'AWS::IAM::Role' && region !== hubRegion) continue
        all.set(type, [...(all.get(type) ?? []), ...names.map((name) => `${account} ${region} ${name}`)])
      }
  return all
}

const passedOverClaim = (left: Record<string, number>): Claim => ({
  claim: 'moto: delete-stack-instances passes over units: accounts are named to it once more here',
  holds: !same(left, {}),
})

const madeClaim = (made: Record<string, number>, places: { account: string; region: string }[]): Claim => {
  const wanted = listed(places.flatMap((place) => presentIn(template, place)))
  return {
    claim:
      'the StackSet has made its roles once in each account, and its rules and queue in each region, as the template says',
    holds: Object.keys(wanted).length > 0 && same(made, wanted),
    detail: same(made, wanted) ? said(made) : `${said(made)}; to be made: ${said(wanted)}`,
  }
}
