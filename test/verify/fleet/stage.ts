import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type Cloud, type CloudOptions, startCloud } from '../../../lab/aws/cloud.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { createSpokes, type Spokes } from '../../../lab/aws/spokes.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { startEmbedded } from '../../../lab/embedded/start.ts'
import { applyManifests } from '../../../lab/fixtures/manifests.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { defaultDeployment, defaultExternalId, roleName } from '../../../shared/domain/fleet-names.ts'
import { groups } from '../../../shared/domain/grant/groups.ts'
import { spokeTemplate } from '../../../shared/domain/spoke/template.ts'
import { seed, wanted } from '../../flow/guards-stage.ts'
import { delays, place as hub } from '../../flow/place.ts'

/** A hub and two spokes: three accounts, two regions each. */
export const accounts = [hub.account, '222233334444', '333344445555'] as const
export const regions = [hub.region, 'us-east-1'] as const
export { hub }

/** What the deployment's configuration says of them. */
export const fleetConfig = {
  accounts: accounts.map((account) => ({ account })),
  regions: [...regions],
}

export interface Place {
  account: string
  region: string
}

export const places: readonly Place[] = accounts.flatMap((account) => regions.map((region) => ({ account, region })))

export const nameIn = ({ account, region }: Place): string => `c-${account.slice(0, 4)}-${region}`

export interface FleetStage {
  cloud: Cloud
  clusters: Map<string, LabCluster>
  moments: Moment[]
  /** As the roles' trust policies say. */
  mayAssume: Spokes['mayAssume']
  stop: () => Promise<void>
}

interface Raising {
  /** `false`: the spokes have no operator role. */
  changes?: boolean
  /** Where there is a cluster. */
  among?: readonly Place[]
  cloud?: Partial<CloudOptions>
  /** An account whose roles nobody may take at the moment. */
  isClosed?: (account: string) => boolean
}

/** One cluster in each place, out of step, with access for the roles of its own account. */
export const raiseFleet = async (
  assemblyDir: string,
  { changes = true, among = places, cloud: more = {}, isClosed = () => false }: Raising = {},
): Promise<FleetStage> => {
  const workdir = mkdtempSync(join(assemblyDir, '..', 'fleet-'))
  const moments: Moment[] = []
  const entry: { cloud?: Cloud } = {}
  const started = await Promise.all(among.map((place) => start(nameIn(place), workdir, () => entry.cloud)))
  const template = spokeTemplate({
    hubAccount: hub.account,
    hubRegion: hub.region,
    externalId: defaultExternalId(defaultDeployment, hub.account),
    changes,
  })
  const spokes = places
    .filter((it) => it.account !== hub.account || it.region !== hub.region)
    .map((it) => ({ ...it, template }))
  const { mayAssume } = createSpokes(spokes)
  const cloud = await startCloud({
    ...hub,
    assemblyDir,
    timeScale: 1 / 200,
    delays,
    onMoment: (moment) => void moments.push(moment),
    spokes,
    mayAssume: (caller, role, id) => !isClosed(role.split(':')[4] ?? '') && mayAssume(caller, role, id),
    eks: { clusters: started.map((cluster, at) => ({ ...seed(cluster), ...among[at] })) },
    ...more,
  })
  entry.cloud = cloud
  for (const place of among) letIn(cloud, place)
  return {
    cloud,
    clusters: new Map(started.map((cluster) => [cluster.name, cluster])),
    moments,
    mayAssume,
    stop: async () => {
      await cloud.stop()
      await Promise.all(started.map((cluster) => cluster.stop()))
    },
  }
}

const start = async (name: string, workdir: string, cloud: () => Cloud | undefined): Promise<LabCluster> => {
  const authenticate = async (token: string) => cloud()?.authenticate(name)(token)
  const cluster = await startEmbedded({
    name,
    workdir,
    kubernetesVersion: 'v1.35.2',
    nodePortRange: wanted,
    authenticate,
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 2, kubernetesVersion: '1.35.2', kubeProxy: { mode: 'ipvs' }, calico })
  await applyManifests(cluster)
  return cluster
}

/** In the hub's account the functions' own roles look and change, elsewhere those of the spoke. */
const letIn = ({ eks }: Cloud, place: Place): void => {
  const isHub = place.account === hub.account
  const role = (name: Parameters<typeof roleName>[1]) =>
    `arn:aws:iam::${place.account}:role/${roleName(defaultDeployment, name)}`
  eks.grant(nameIn(place), role(isHub ? 'evaluate' : 'viewer'), [groups.viewers])
  eks.grant(nameIn(place), role(isHub ? 'rollout-step' : 'operator'), [groups.operators])
}
