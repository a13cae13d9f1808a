import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Fields } from '../../../lab/aws/json.ts'
import { type Moto, startMoto } from '../../../lab/moto/moto.ts'
import { spokeTemplate } from '../../../shared/domain/spoke/template.ts'
import { assemble } from '../../flow/assemble.ts'
import { everything } from '../../infra/deployment.ts'
import { hub } from '../../infra/spoke.ts'
import type { Claim } from '../fleet/claim.ts'
import { inventory } from './ask.ts'
import { hubStack, shortfallClaims, spokeStack } from './emulated.ts'
import { organizationClaims } from './organization.ts'
import { pathClaims } from './path.ts'
import { restoreClaims } from './restore.ts'
import { spokesPageClaims } from './spokes-page.ts'
import { runCdk } from './stacks.ts'

/** Deployments of the hub that are tried; the second has every type of resource. */
export const deployments = {
  'the hub as it is with nothing configured': {},
  'the hub with everything switched on': everything,
}
export type Deployment = keyof typeof deployments

/** Both templates created and deleted on moto, what moto cannot do, and accounts of an organization. Throws where there is no Python. */
export const emulate = async (folder: string, wanted = Object.keys(deployments) as Deployment[]): Promise<Claim[]> => {
  const ofHub = inAccount(hub.hubAccount, folder, async (moto) => {
    const claims = [await bootstrapped(moto, folder)]
    for (const what of wanted) claims.push(...(await hubOf(moto, folder, what)))
    return [...claims, ...(await shortfallClaims(moto))]
  })
  const ofSpoke = inAccount(away.account, folder, async (moto) => [
    ...(await spokeStack(moto, 'the spoke', spoke(true), away)),
    ...(await spokeStack(moto, 'the spoke without changes', spoke(false), away)),
    ...(await organizationClaims(moto)),
  ])
  return (await Promise.all([ofHub, ofSpoke])).flat()
}

const away = { account: '444455556666', region: hub.hubRegion }

const spoke = (changes: boolean): Fields => JSON.parse(JSON.stringify(spokeTemplate({ ...hub, changes }))) as Fields

/** The page that leads there, command by command. */
export const followPage = (folder: string): Promise<Claim[]> =>
  inAccount(hub.hubAccount, join(folder, 'page'), (moto) => pathClaims(moto, join(folder, 'checkout')))

/** The page of the spokes, from their StackSet to its removal. */
export const followFleetPage = (folder: string): Promise<Claim[]> => spokesPageClaims(join(folder, 'spokes'))

/** The records restored, as the page says. */
export const restoreRecords = (folder: string): Promise<Claim[]> => restoreClaims(join(folder, 'restore'))

/** moto serves one account. */
const inAccount = async (account: string, folder: string, show: (moto: Moto) => Promise<Claim[]>): Promise<Claim[]> => {
  const workdir = join(folder, account)
  mkdirSync(workdir, { recursive: true })
  const moto = await startMoto({ account, region: hub.hubRegion, workdir })
  try {
    return await show(moto)
  } finally {
    await moto.stop()
  }
}

const bootstrapped = async (moto: Moto, folder: string): Promise<Claim> => {
  await runCdk(moto, folder, ['bootstrap', `aws://${hub.hubAccount}/${hub.hubRegion}`])
  const parameters = (await inventory(moto)).get('AWS::SSM::Parameter') ?? []
  return {
    claim: 'cdk bootstrap makes what a deployment needs',
    holds: parameters.includes('/cdk-bootstrap/hnb659fds/version'),
    detail: parameters.join(', '),
  }
}

const hubOf = async (moto: Moto, folder: string, what: Deployment): Promise<Claim[]> => {
  const own = join(folder, what.replaceAll(/\W/g, '-'))
  mkdirSync(own)
  const assembly = await assemble(own, deployments[what])
  return hubStack(moto, { what, folder: own, assembly, stack: 'CalicoIpvsSync' })
}
