import type { Cause, Place, Unlisted } from '../places.ts'

const what: Record<Cause, string> = {
  'no-role': 'The configuration has no role for this account.',
  'sts-denied': 'STS does not let us take the role of this account.',
  unauthenticated: 'EKS does not accept our credentials (401).',
  denied: 'EKS accepts our credentials and does not allow eks:ListClusters (403).',
  unreachable: 'Nothing answers: the way to the EKS API of this region is interrupted.',
  throttled: 'EKS throttles or has failed for the whole of two sweeps.',
  malformed: 'EKS refuses the call, or its answer cannot be read.',
  'not-done': 'The function that lists it ended before it was done, in a whole sweep.',
}

const remedy: Record<Cause, string> = {
  'no-role': 'Name a role for the account in the configuration and deploy it, or take the account out.',
  'sts-denied':
    'See that the role is there, trusts the roles of this deployment with its external id, and that no policy of the organization forbids it.',
  unauthenticated:
    'See that the region is enabled in the account, and that the role was not made again under its name.',
  denied: 'Allow the role eks:ListClusters, and see that no policy of the organization or of a boundary forbids it.',
  unreachable:
    'See that the region is enabled and, where the functions are in a VPC, that it has a way to the EKS API.',
  throttled: 'Look at what else calls EKS in this account and region; nothing of ours need be changed if it ends.',
  malformed: 'Look at the log of list-clusters; the answer stands there.',
  'not-done': 'Look at the log of list-clusters, and at the dead letters of places.',
}

const placeOf = ({ account, region }: Place) => `${account} ${region}`

/** One notice says that a place could not be listed for two sweeps. */
export const unlistedNotice = (place: Place, { since, cause, message }: Unlisted, known: number) =>
  ({
    subject: `[critical] all clusters (${placeOf(place)}): they cannot be listed`,
    text: [
      'You act. Nothing is changed in this account and region until it can be listed again.',
      '',
      `${what[cause]} ${message}`,
      `Since ${since}. New clusters are not seen; ${known} known ${known === 1 ? 'one is' : 'ones are'} looked at all the same.`,
      '',
      `What to do: ${remedy[cause]}`,
    ].join('\n'),
    attributes: {
      severity: 'critical',
      cluster: '*',
      account: place.account,
      region: place.region,
      verdict: 'unknown',
    },
  }) as const

/** One notice says that this is over. */
export const listedAgainNotice = (place: Place, { since }: Pick<Unlisted, 'since'>, clusters: number) =>
  ({
    subject: `[info] all clusters (${placeOf(place)}): they can be listed again`,
    text: `Nobody needs to act. They could not be listed since ${since}; ${clusters} ${clusters === 1 ? 'is' : 'are'} there now and looked at.`,
    attributes: { severity: 'info', cluster: '*', account: place.account, region: place.region },
  }) as const
