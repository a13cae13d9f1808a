import { roleName } from '../../../shared/domain/fleet-names.ts'
import type { Claim } from './claim.ts'
import { accounts, type FleetStage, hub } from './stage.ts'

const external = 'calico-ipvs-sync-111122223333'

/** Who shows what, which role of a spoke, and whether its trust policy lets it in. */
const table: [string, 'viewer' | 'operator', string | undefined, boolean][] = [
  ['evaluate', 'viewer', external, true],
  ['rollout-step', 'operator', external, true],
  ['evaluate', 'viewer', 'somebody-else', false],
  ['evaluate', 'viewer', undefined, false],
  ['rollout-step', 'operator', 'somebody-else', false],
  ['rollout-step', 'operator', undefined, false],
  ['evaluate', 'operator', external, false],
  ['sweep', 'operator', external, false],
  ['on-event', 'viewer', external, false],
]

/** The roles of a spoke are taken by the functions that they trust, with the external id, and by no other. */
export const spokeRolesClaim = ({ mayAssume, moments }: FleetStage): Claim => {
  const wrong = table.filter(([caller, kind, id, may]) => {
    const role = `arn:aws:iam::${accounts[1]}:role/${roleName('calico-ipvs-sync', kind)}`
    return mayAssume(`arn:aws:sts::${hub.account}:assumed-role/calico-ipvs-sync-${caller}/x`, role, id) !== may
  })
  const taken = moments.filter((it) => it.kind === 'call' && it.service === 'sts' && it.operation === 'AssumeRole')
  return {
    claim: 'the roles of a spoke are taken by the functions that they trust, with the external id, and by no other',
    holds: wrong.length === 0 && taken.length > 0,
    detail: [`taken ${taken.length} times`, ...wrong.map(([caller, kind, id]) => `${caller} ${kind} ${id}`)].join(', '),
  }
}
