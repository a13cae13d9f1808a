import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type Alarms, startAlarms } from '../../lab/aws/alarms.ts'
import { type Cloud, startCloud } from '../../lab/aws/cloud.ts'
import { configure } from '../../lab/aws/configured.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import type { Delays } from '../../lab/aws/queues.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { delays as ofSweeps, place } from './place.ts'

export { assemble } from './assemble.ts'
export { place }

export const wanted = { min: 20_000, max: 32_767 }
/** Felix's own default, before. */
export const target = `${wanted.min}:${wanted.max}`

export interface GuardedStage {
  cloud: Cloud
  alarms: Alarms
  clusters: LabCluster[]
  /** What a deployment with this policy would put beside the functions' code; before their first start. */
  deploy: (policy: object) => void
  stop: () => Promise<void>
}

interface Raising {
  real?: string[]
  environments?: number
  delays?: Delays
  copies?: number
  admin?: string
  onMoment?: (moment: Moment) => void
}

/** Clusters whose node-port range is not Calico's, in front of a cloud that has not yet looked at them. */
export const raise = async (
  assemblyDir: string,
  names: string[],
  nodes: number | ((name: string) => number),
  /**
   * `real`: which of them have the real API server. `environments`: of one function. `copies`: how often each message comes. `admin`: who
   * alone has access to them.
   */
  { real = [], environments, delays = ofSweeps, copies = 1, admin, onMoment }: Raising = {},
): Promise<GuardedStage> => {
  const entry: { cloud?: Cloud } = {}
  const workdir = mkdtempSync(join(assemblyDir, '..', 'clusters-'))
  const alarms = await startAlarms(() => entry.cloud?.keyring)
  const about = (name: string) => ({
    real: real.includes(name),
    workdir,
    nodes: typeof nodes === 'number' ? nodes : nodes(name),
    cloud: () => entry.cloud,
  })
  const clusters = await Promise.all(names.map((name) => start(name, about(name))))
  const end = () => Promise.all([alarms.stop(), ...clusters.map((cluster) => cluster.stop())])
  const cloud = await startCloud({
    ...place,
    assemblyDir,
    timeScale: 1 / 200,
    delays,
    copies,
    ...(environments !== undefined && { environments }),
    ...(onMoment && { onMoment }),
    endpoints: { AWS_ENDPOINT_URL_CLOUDWATCH: alarms.url },
    eks: { clusters: clusters.map(seed) },
  }).catch(async (error: unknown) => {
    await end()
    throw error
  })
  entry.cloud = cloud
  for (const name of names)
    if (admin === undefined) letIn(cloud, name)
    else cloud.eks.grant(name, admin, ['system:masters'])
  const deploy = (policy: object) =>
    configure(cloud.stack, (configured) => ({ ...configured, policy: { action: 'sync', ...policy } }))
  const stop = async () => {
    await cloud.stop()
    await end()
  }
  return { cloud, alarms, clusters, deploy, stop }
}

/** As the stack's own access entries, which are not in it: each stage has clusters of its own. */
export const letIn = ({ stack, eks }: Cloud, cluster: string): void => {
  const groups = { EvaluateRole: 'calico-ipvs-sync-viewers', RolloutStepRole: 'calico-ipvs-sync-operators' }
  for (const [label, group] of Object.entries(groups)) {
    const role = stack.ofType('AWS::IAM::Role').find((it) => it.label === label)
    if (!role) throw new Error(`The template has no role ${label}`)
    eks.grant(cluster, role.arn, [group])
  }
}

export const seed = ({ name, server, caData }: LabCluster) => ({
  name,
  endpoint: server,
  caData,
  version: '1.35',
  nodePortRange: wanted,
  addons: [
    { name: 'kube-proxy', version: 'v1.35.2-eksbuild.4', configurationValues: JSON.stringify({ mode: 'ipvs' }) },
  ],
})

interface Start {
  real: boolean
  workdir: string
  nodes: number
  cloud: () => Cloud | undefined
}

const start = async (name: string, { real, workdir, nodes, cloud }: Start): Promise<LabCluster> => {
  const cluster = await (real ? useControlPlane : startEmbedded)({
    name,
    workdir,
    kubernetesVersion: 'v1.35.2',
    nodePortRange: wanted,
    authenticate: async (token) => cloud()?.authenticate(name)(token),
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes, kubernetesVersion: '1.35.2', kubeProxy: { mode: 'ipvs' }, calico })
  await applyManifests(cluster)
  return cluster
}
