import { placeFault, placeRemedy } from './notice/place-notice.ts'
import type { Cause, PlaceRow } from './places.ts'
import type { Report } from './report.ts'

const refused: readonly Cause[] = ['no-role', 'sts-denied', 'unauthenticated', 'denied']

/**
 * An account and region that the last sweep could not list, as a row of the fleet: it must not look like one without clusters.
 * `undefined`: it was listed, or its sweep still tries.
 */
export const unlistedReport = ({ account, region, sweep, unlisted, clusters }: PlaceRow): Report | undefined => {
  if (!unlisted || (unlisted.sweep !== sweep && unlisted.sweeps === 1)) return undefined
  const { cause, message, since } = unlisted
  return {
    schemaVersion: 1,
    cluster: { name: `all clusters of ${region}`, account, region },
    observedAt: unlisted.sweep,
    verdict: 'unknown',
    nodes: [],
    findings: [
      {
        code: refused.includes(cause) ? 'ACCESS_DENIED' : 'UNREACHABLE',
        severity: 'warning',
        subject: 'cluster',
        message: `The clusters cannot be listed since ${since}, so new ones are not seen; known ones: ${clusters.length}. ${placeFault[cause]}`,
        evidence: [{ object: 'eks:ListClusters', ...(message && { field: 'answer', value: message }), at: since }],
        remedy: placeRemedy[cause],
      },
    ],
  }
}
