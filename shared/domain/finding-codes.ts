/**
 * Every finding, and whether a verdict can be unknown because of it. Codes are stable: people filter by them.
 * `unread`: something could not be read. `unproven`: what was read does not tell which value counts. `judged`: it does not keep
 * the verdict from being known.
 */
const findings = {
  RANGE_DIFFERS: 'judged',
  RANGE_TOO_WIDE: 'judged',
  RANGE_SPEC_IGNORED: 'judged',
  RANGE_SHADOWED: 'unproven',
  RANGE_INVALID: 'unproven',
  RANGE_ASSUMED: 'unread',
  RANGE_HOST_PORTS: 'judged',
  STRAY_NODE_PORT: 'judged',
  NODE_PORT_SCTP: 'judged',
  MODE_NOT_ROLLED: 'judged',
  MODE_MIXED: 'judged',
  MODE_UNPROVEN: 'unproven',
  FELIX_MISSED_MODE: 'judged',
  STALE_IPVS_DEVICE: 'judged',
  IPVS_DEPRECATED: 'judged',
  IPVS_WITH_BPF: 'judged',
  IPVS_WITH_NFTABLES: 'judged',
  INTERFACE_EXCLUDE: 'judged',
  MARK_CAPACITY: 'judged',
  MARK_OVERLAP: 'judged',
  MARK_INVALID: 'judged',
  MARK_NOT_STORABLE: 'judged',
  MARK_TABLES_DIFFER: 'judged',
  OWNED_BY_GITOPS: 'judged',
  OPERATOR_IGNORED: 'judged',
  OPERATOR_BLIND: 'judged',
  CALICO_API_UNAVAILABLE: 'judged',
  CALICO_MIGRATING: 'judged',
  SELECTOR_OVERLAP: 'judged',
  NFTABLES_MODE_DIFFERS: 'judged',
  NODES_NOT_READY: 'judged',
  UPDATE_STRATEGY: 'judged',
  UNREACHABLE: 'unread',
  ACCESS_DENIED: 'unread',
  CLUSTER_IDENTITY: 'unread',
  TLS_NOT_VERIFIED: 'judged',
  CLUSTER_UPDATING: 'judged',
  ROLLOUT_HALTED: 'judged',
  ROLLOUT_STATE_INVALID: 'judged',
  FLAPPING: 'judged',
} as const

export type FindingCode = keyof typeof findings
export const findingCodes = Object.keys(findings) as readonly FindingCode[]

export const isUnread = (code: FindingCode): boolean => findings[code] === 'unread'
export const leavesUnknown = (code: FindingCode): boolean => findings[code] !== 'judged'
