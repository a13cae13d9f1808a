import type { AuthenticatedUser, ClusterOptions, LabCluster } from '../cluster.ts'
import type { startControlPlane } from '../control-plane/start.ts'
import { startEmbedded } from '../embedded/start.ts'
import type { ClusterSpec } from '../fixtures/cluster-spec.ts'
import { applyManifests } from '../fixtures/manifests.ts'
import { populate } from '../fixtures/populate.ts'

/** The demo's clusters by what happens to them. `far` exists in EKS only: nothing answers at its endpoint. */
export const names = { range: 'shop', mode: 'legacy', quiet: 'quiet', far: 'far-away' } as const

/** Which server stands behind the clusters. */
export type Kind = LabCluster['kind']

const spec = (calico: string, mode: 'ipvs' | 'iptables', more: object = {}): ClusterSpec => ({
  nodes: 3,
  kubernetesVersion: '1.35.2',
  kubeProxy: { mode },
  calico: { version: calico, install: 'operator', ...more },
})

const specs: Record<string, ClusterSpec> = {
  [names.range]: spec('v3.28.4', 'ipvs'),
  // A calico-node pod that takes a second to become ready: long enough to see that only one is away at a time.
  [names.mode]: spec('v3.21.6', 'iptables', { readyDelay: '1s' }),
  [names.quiet]: spec('v3.29.7', 'ipvs'),
}

export interface DemoFleet {
  clusters: Record<'range' | 'mode' | 'quiet', LabCluster>
  stop: () => Promise<void>
}

/** Which server stands behind each; `authenticate`: who a bearer token is in the cluster of that name. */
export const startFleet = async (
  kindOf: (name: string) => Kind,
  workdir: string,
  authenticate: (cluster: string, token: string) => Promise<AuthenticatedUser | undefined>,
  startReal: typeof startControlPlane,
): Promise<DemoFleet> => {
  const started: LabCluster[] = []
  const one = async (name: string): Promise<LabCluster> => {
    const start = kindOf(name) === 'real' ? startReal : startEmbedded
    const options: ClusterOptions = {
      name,
      kubernetesVersion: 'v1.35.2',
      authenticate: (token) => authenticate(name, token),
    }
    const cluster = await start({ ...options, workdir })
    started.push(cluster)
    const spec = specs[name]
    if (spec) await populate(cluster, spec)
    await applyManifests(cluster)
    return cluster
  }
  const stop = async () => void (await Promise.all(started.map((cluster) => cluster.stop())))
  try {
    const [range, mode, quiet] = await Promise.all([one(names.range), one(names.mode), one(names.quiet)])
    return { clusters: { range, mode, quiet }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
