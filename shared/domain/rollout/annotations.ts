/** Our keys on FelixConfigurations and on the Lease. People read them with kubectl; every step reads them back. */
export const ours = 'calico-ipvs-sync/'
/** On an override we made or added to: `created` (the object is ours) or `added` (it was there before us). */
export const overrideKey = 'calico-ipvs-sync/override'
/** RFC 3339: when we last changed the range on this object. */
export const changedAtKey = 'calico-ipvs-sync/changed-at'
/** On every object that we wrote: JSON with the writer, the rollout and the former value. */
export const changeKey = 'calico-ipvs-sync/change'
/** The Lease that is the lock of one rollout per cluster and says where it stands. */
export const lease = { namespace: 'kube-system', name: 'calico-ipvs-sync' } as const
/** Field manager of every write. */
export const fieldManager = 'calico-ipvs-sync'
/** What Felix reads; exact case: another spelling beside a set spec makes the winner a matter of chance. */
export const rangeAnnotation = 'config.projectcalico.org/KubeNodePortRanges'

/** Milliseconds by which the clocks of two machines may differ: what is farther ahead is no time that has come. */
export const clockSkew = 300_000
