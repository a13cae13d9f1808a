/** Of one request to the Kubernetes API, for a person at a terminal. The functions have theirs in shared/fleet-access.ts. */
export const requestLimits = { connectMs: 5_000, idleMs: 5_000, deadlineMs: 15_000 }
