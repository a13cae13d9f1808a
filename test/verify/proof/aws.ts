import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EKSClient } from '@aws-sdk/client-eks'
import { synthesize } from '../../../infra/app.ts'
import { bundleAll, root } from '../../../infra/bundle.ts'
import { parseConfig } from '../../../infra/config.ts'
import { type Cloud, startCloud } from '../../../lab/aws/cloud.ts'
import type { BusEvent } from '../../../lab/aws/eks-trail.ts'
import type { ClusterOptions, LabCluster } from '../../../lab/cluster.ts'
import { place } from '../../../lab/demo/deployment.ts'
import { applyManifests } from '../../../lab/fixtures/manifests.ts'

export interface Pace {
  canarySeconds: number
  settleSeconds: number
  nodeDeadlineSeconds: number
}

/** The deployed stack, and the cluster it looks after. */
export interface OnAws {
  cloud: Cloud
  /** All that went to the bus. */
  events: BusEvent[]
  eks: EKSClient
}

/** Milliseconds that the stand-in for EKS takes for an update of a cluster; EKS takes minutes. */
export const updateMilliseconds = 1500

/** Who a bearer token is, once there is a cloud that knows. */
export const doorFor = (name: string) => {
  const entry: { cloud?: Cloud } = {}
  const authenticate: ClusterOptions['authenticate'] = async (token) => entry.cloud?.authenticate(name)(token)
  return { entry, authenticate }
}

/** Bundles the functions, synthesizes the stack with one node at a time, and runs it in front of the cluster. */
export async function deployFor(cluster: LabCluster, door: ReturnType<typeof doorFor>, pace: Pace): Promise<OnAws> {
  const folder = join(root, 'out/proof/stack')
  rmSync(folder, { recursive: true, force: true })
  const [bundles, assemblyDir] = [join(folder, 'lambda'), join(folder, 'cdk.out')]
  await bundleAll({ to: bundles })
  const policy = { action: 'sync', maxUnavailable: 1, ...pace }
  const config = parseConfig({
    env: place,
    clusters: [cluster.name],
    emails: ['platform@example.com'],
    policy,
    events: { gapSeconds: 1 },
    // Each notice at once: each is looked at.
    notices: { digest: false },
  })
  synthesize(config, { bundles, outdir: assemblyDir, rules: false })
  const events: BusEvent[] = []
  const { name, server: endpoint, caData } = cluster
  const addons = [{ name: 'kube-proxy', version: 'v1.36.2-eksbuild.4', configurationValues: '{"mode":"ipvs"}' }]
  const cloud = await startCloud({
    ...place,
    assemblyDir,
    eks: {
      clusters: [{ name, endpoint, caData, version: '1.36', addons }],
      updateMilliseconds,
      onNodePortRange: async (_, range) => await cluster.setNodePortRange(range),
    },
    onMoment: (moment) => {
      if (moment.kind === 'event') events.push(moment.event)
    },
  })
  door.entry.cloud = cloud
  await applyManifests(cluster)
  const { environment, credentials } = cloud
  return {
    cloud,
    events,
    eks: new EKSClient({ ...place, credentials, endpoint: environment['AWS_ENDPOINT_URL_EKS'] ?? '' }),
  }
}

/** Until nothing is on its way any more, by messages that come in again after a delay too. */
export async function untilQuiet({ cloud }: OnAws): Promise<void> {
  await cloud.idle({ timeoutMilliseconds: 240_000 })
  await sleep(1000)
  await cloud.idle({ timeoutMilliseconds: 240_000 })
}
