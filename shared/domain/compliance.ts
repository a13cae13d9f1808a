import type { Verdict } from './report.ts'

/**
 * The compliance of a cluster for AWS Config. Config accepts no `INSUFFICIENT_DATA` from a rule (API_Evaluation in
 * its reference).
 */
export interface Compliance {
  type: 'COMPLIANT' | 'NON_COMPLIANT' | 'NOT_APPLICABLE'
  annotation: string
}

/** The limit of AWS Config. */
const annotationAtMost = 256

/** A verdict that is older than this is out of date: a day between two sweeps at most, and the hours in which a sweep spreads its evaluations. */
const freshSeconds = 2 * 86_400

/**
 * From the stored verdict. `unknown` is never compliant, because AWS Config could not show the difference to in-step.
 * `undefined`: there is no verdict, because the cluster is new or not in the fleet.
 */
export const complianceOf = (
  seen: { verdict: Verdict; observedAt: string; codes?: readonly string[] } | undefined,
  now: Date,
): Compliance => {
  if (!seen) return said('NOT_APPLICABLE', 'calico-ipvs-sync has not evaluated this cluster; is it in the fleet?')
  const { verdict, observedAt, codes = [] } = seen
  const age = (now.getTime() - Date.parse(observedAt)) / 1_000
  const why = `${codes.length > 0 ? ` ${codes.join(' ')}.` : ''} Seen ${observedAt}.`
  if (!(age < freshSeconds) && verdict !== 'not-applicable')
    return said('NON_COMPLIANT', `The last evaluation was at ${observedAt}, with the verdict ${verdict}.`)
  switch (verdict) {
    case 'in-step':
      return said('COMPLIANT', `Calico is in step with kube-proxy.${why}`)
    case 'not-applicable':
      return said('NOT_APPLICABLE', `calico-ipvs-sync is not applicable to this cluster.${why}`)
    case 'out-of-step':
      return said('NON_COMPLIANT', `Calico is out of step with kube-proxy.${why}`)
    case 'changing':
      return said('NON_COMPLIANT', `A change has been in progress for hours.${why}`)
    case 'unknown':
      return said('NON_COMPLIANT', `It is not known whether Calico is in step.${why}`)
  }
}

/** The cluster no longer exists, or never existed. */
export const vanished: Compliance = {
  type: 'NOT_APPLICABLE',
  annotation: 'The fleet no longer has this cluster.',
}

const said = (type: Compliance['type'], text: string): Compliance => ({
  type,
  annotation: text.length <= annotationAtMost ? text : `${text.slice(0, annotationAtMost - 1)}…`,
})
