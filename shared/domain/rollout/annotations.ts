/**
 * The tool's annotations on FelixConfigurations and on the Lease. People read them with kubectl; every step reads
 * them.
 */
export const ours = 'calico-ipvs-sync/'
/** On an override: `created` (the tool created the object) or `added` (the object existed before). */
export const overrideKey = 'calico-ipvs-sync/override'
/** RFC 3339: when the tool last changed the range on this object. */
export const changedAtKey = 'calico-ipvs-sync/changed-at'
/** On every object that the tool wrote: JSON with the writer, the rollout and the former value. */
export const changeKey = 'calico-ipvs-sync/change'
/** The Lease: the lock for one rollout per cluster, with its state. */
export const lease = { namespace: 'kube-system', name: 'calico-ipvs-sync' } as const
/** Field manager of every write. */
export const fieldManager = 'calico-ipvs-sync'
/**
 * The annotation that Felix reads. The case must match: with another spelling and a set spec, Felix uses one of both
 * at random.
 */
export const rangeAnnotation = 'config.projectcalico.org/KubeNodePortRanges'

/** Milliseconds by which the clocks of two machines may differ: a time further ahead is in the future. */
export const clockSkew = 300_000
