import type { FleetPermits } from '../../shared/clients/aws/fleet-budget.ts'
import { type FleetBudget, leave, putBack, take } from '../../shared/domain/policy/fleet-budget.ts'

/** The fleet budget in memory. */
export const permitsIn = (fleet: { budget: FleetBudget; limit: number }, now: () => number): FleetPermits => {
  const kept = <T extends { store?: FleetBudget }>(decided: T): T => {
    fleet.budget = decided.store ?? fleet.budget
    return decided
  }
  const asking = (cluster: string, incarnation?: string) => ({
    cluster,
    ...(incarnation && { incarnation }),
    limit: fleet.limit,
    now: now(),
  })
  return {
    take: async (cluster, incarnation) => kept(take(fleet.budget, asking(cluster, incarnation))).permit,
    leave: async (cluster, { incarnation, ...about } = {}) =>
      kept(leave(fleet.budget, { ...asking(cluster, incarnation), ...about })).wake,
    putBack: async (clusters) => void kept(putBack(fleet.budget, clusters, now())),
  }
}
