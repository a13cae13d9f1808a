import { hasNoCalico } from './applicability.ts'
import type { ClusterState } from '../cluster.ts'
import type { ProxyConfiguration } from '../proxy-mode/configured.ts'
import type { ReadFailure } from '../read.ts'
import { failureOf, valueOf } from '../read.ts'

/** Failed reads, by consequence. */
export interface Gaps {
  /** The verdict needs this. */
  needed: ReadFailure[]
  /** The verdict does not need this, but a write does. */
  wanted: ReadFailure[]
}

/** ClusterInformation and Installation are in neither list: without them Calico's version comes from the image. */
export function gapsOf(state: ClusterState, configurations: readonly ProxyConfiguration[]): Gaps {
  const eks = valueOf(state.eks)
  const { nodes, daemonSets, pods, felix, nodePorts } = state
  const needed = hasNoCalico(state)
    ? [failureOf(nodes)]
    : [failureOf(nodes), failureOf(daemonSets), failureOf(pods), failureOf(felix), failureOf(nodePorts)]
  const proxies = hasNoCalico(state) ? [] : configurations.map((it) => it.failure)
  const referred = hasNoCalico(state) ? [] : Object.values(state.configMaps).map((it) => failureOf(it))
  const wanted = [
    ...referred,
    failureOf(state.eks),
    failureOf(eks?.kubeProxyAddon),
    failureOf(eks?.updates),
    failureOf(state.rollout),
  ]
  const known = distinct([...needed, ...proxies])
  const isNeeded = ({ object }: ReadFailure) => known.some((it) => it.object === object)
  return { needed: known, wanted: distinct(wanted).filter((it) => !isNeeded(it)) }
}

function distinct(failures: readonly (ReadFailure | undefined)[]): ReadFailure[] {
  const byObject = new Map<string, ReadFailure>()
  for (const it of failures) if (it) byObject.set(it.object, it)
  return [...byObject.values()]
}
