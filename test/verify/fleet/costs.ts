import type { Moment } from '../../../lab/aws/moment.ts'

/** Calls of AWS in some moments of the lab: `evaluate dynamodb GetItem` and how many. What the queues' pollers call is AWS's own. */
export const callsIn = (moments: readonly Moment[]): Map<string, number> => {
  const calls = new Map<string, number>()
  for (const it of moments) {
    if (it.kind !== 'call') continue
    const role = /:(?:assumed-)?role\/(?:calico-ipvs-sync-)?([^/]+)/.exec(it.caller)?.[1] ?? it.caller
    const key = `${role} ${it.service} ${it.operation}`
    calls.set(key, (calls.get(key) ?? 0) + 1)
  }
  return calls
}
