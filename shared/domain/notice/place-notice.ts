import type { Cause, Place, Unlisted } from '../places.ts'
import type { OutgoingNotice } from './outgoing.ts'

export const placeFault: Record<Cause, string> = {
  'no-role': 'The configuration has no role for this account.',
  'sts-denied': 'STS does not allow the deployment to assume the role of this account.',
  unauthenticated: 'EKS does not accept the credentials (401).',
  denied: 'EKS accepts the credentials but does not allow eks:ListClusters (403).',
  unreachable: 'There is no answer: the EKS API of this region cannot be reached.',
  throttled: 'EKS throttled or failed each time.',
  malformed: 'EKS rejects the call, or its answer cannot be parsed.',
  'not-done': 'The function that lists it did not finish during a whole sweep.',
}

export const placeRemedy: Record<Cause, string> = {
  'no-role': 'Add a role for the account to the configuration and deploy, or remove the account.',
  'sts-denied':
    'Check that the role exists and trusts the roles of this deployment with its external id, and that no policy of the organization denies it.',
  unauthenticated:
    'Check that the region is enabled in the account and in that of the deployment, and that the role was not deleted and created again.',
  denied:
    'Allow eks:ListClusters for the role, and check that no policy of the organization and no permissions boundary denies it.',
  unreachable:
    'Check that the region is enabled and, if the functions are in a VPC, that the VPC has a route to the EKS API.',
  throttled:
    'Check which other programs call EKS in this account and region; no change of this deployment is needed if it ends.',
  malformed: 'See the log of list-clusters, which has the answer.',
  'not-done': 'See the log of list-clusters, and the dead letters of places.',
}

const placeOf = ({ account, region }: Place) => `${account} ${region}`

/** One notice says that a place could not be listed for two sweeps. */
export const unlistedNotice = (place: Place, { since, cause, message }: Unlisted, known: number): OutgoingNotice => ({
  subject: `[critical] all clusters (${placeOf(place)}): they cannot be listed`,
  text: [
    `${placeOf(place)}: the clusters cannot be listed. A person must act.`,
    '',
    `${placeFault[cause]} ${message}`,
    `Since ${since}. New clusters are not seen. ${known} known ${known === 1 ? 'one is' : 'ones are'} still evaluated, and changed if that is the action there.`,
    '',
    `What to do:\n1. ${placeRemedy[cause]}`,
  ].join('\n'),
  attributes: {
    severity: 'critical',
    kind: 'unlisted',
    cluster: '*',
    account: place.account,
    region: place.region,
    verdict: 'unknown',
  },
  about: { since, causes: [`cannot be listed (${cause})`] },
})

/** One notice says that this is over. */
export const listedAgainNotice = (
  place: Place,
  { since }: Pick<Unlisted, 'since'>,
  clusters: number,
): OutgoingNotice => ({
  subject: `[info] all clusters (${placeOf(place)}): they can be listed again`,
  text: [
    `${placeOf(place)}: the clusters can be listed again. Nobody has to act.`,
    '',
    `They could not be listed since ${since}; ${clusters} ${clusters === 1 ? 'is' : 'are'} listed now and evaluated.`,
  ].join('\n'),
  attributes: {
    severity: 'info',
    kind: 'listed-again',
    cluster: '*',
    account: place.account,
    region: place.region,
  },
  about: { since, causes: ['listed again'] },
})
