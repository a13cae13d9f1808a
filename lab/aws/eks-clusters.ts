import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { eksError, type Holding } from './eks-model.ts'
import { fieldsOf } from './json.ts'
import { type EksCall, type EksContext, holdingNamed, type Operations, paged, parseBody } from './eks-operation.ts'
import { mustBeActive, type UpdateRequest } from './eks-updates.ts'

/** Ports that EKS allows: clear of those of the kubelet and the control plane, below the ephemeral ones. */
const bounds = { min: 10260, max: 32767 }
const port = z.int().min(bounds.min).max(bounds.max)

const configUpdate = z.looseObject({
  kubeApiServerConfig: z
    .object({
      serviceNodePortRange: z
        .object({ minPort: port, maxPort: port })
        .refine(({ minPort, maxPort }) => minPort <= maxPort, 'minPort must not be above maxPort'),
    })
    .optional(),
})

/** Members of UpdateClusterConfig: what DescribeUpdate calls the update, and its parameter. One of them a call. */
const configKinds: Record<string, [type: string, parameter: string]> = {
  kubeApiServerConfig: ['ControlPlaneComponentConfigUpdate', 'KubeApiServerConfig'],
  computeConfig: ['AutoModeUpdate', 'ComputeConfig'],
  accessConfig: ['AccessConfigUpdate', 'AuthenticationMode'],
  logging: ['LoggingUpdate', 'ClusterLogging'],
  resourcesVpcConfig: ['EndpointAccessUpdate', 'EndpointPublicAccess'],
}

export const clusterOperations: Operations = {
  ListClusters: {
    method: 'GET',
    path: '/clusters',
    run: ({ place, query }, { holdings }) => {
      const here = holdings.filter(({ account, region }) => account === place.account && region === place.region)
      const { page, ...more } = paged(here.map(({ cluster }) => cluster.name).sort(), query)
      return { clusters: page, ...more }
    },
  },
  DescribeCluster: {
    method: 'GET',
    path: '/clusters/{name}',
    run: (call, eks) => ({ cluster: holdingNamed(eks, call).cluster }),
  },
  DeleteCluster: {
    method: 'DELETE',
    path: '/clusters/{name}',
    run: (call, eks) => {
      const holding = holdingNamed(eks, call)
      holding.cluster.status = 'DELETING'
      const answer = structuredClone(holding.cluster)
      void forget(holding, eks)
      return { cluster: answer }
    },
  },
  UpdateClusterConfig: { method: 'POST', path: '/clusters/{name}/update-config', run: updateConfig },
  UpdateClusterVersion: { method: 'POST', path: '/clusters/{name}/updates', run: updateVersion },
  ListUpdates: {
    method: 'GET',
    path: '/clusters/{name}/updates',
    run: (call, eks) => {
      const { page, ...more } = paged(updatesOf(call, eks), call.query)
      return { updateIds: page.map(({ id }) => id), ...more }
    },
  },
  DescribeUpdate: {
    method: 'GET',
    path: '/clusters/{name}/updates/{updateId}',
    run: (call, eks) => {
      const id = call.labels['updateId'] ?? ''
      const update = updatesOf(call, eks).find((one) => one.id === id)
      if (update === undefined) throw eksError('ResourceNotFoundException', `No update found for ID: ${id}`)
      return { update }
    },
  },
}

async function forget(holding: Holding, { holdings, updates }: EksContext): Promise<void> {
  await delay(1)
  while (updates.inProgress() > 0) await delay(5)
  holdings.splice(holdings.indexOf(holding), 1)
}

function updatesOf(call: EksCall, eks: EksContext) {
  const addonName = call.query.get('addonName') ?? undefined
  return holdingNamed(eks, call)
    .updates.filter((kept) => kept.addonName === addonName)
    .map(({ update }) => update)
}

function updateConfig(call: EksCall, eks: EksContext) {
  const holding = holdingNamed(eks, call)
  const body = parseBody(configUpdate, call.body)
  const members = Object.keys(configKinds).filter((member) => body[member] !== undefined)
  const [member] = members
  const kind = configKinds[member ?? '']
  if (member === undefined || kind === undefined || members.length > 1)
    throw eksError('InvalidParameterException', 'Exactly one kind of configuration can be updated at a time.')
  mustBeActive(holding)
  const [type, parameter] = kind
  const finish = async () => {
    const range = body.kubeApiServerConfig?.serviceNodePortRange
    if (range !== undefined) await eks.onNodePortRange?.(holding.cluster, { min: range.minPort, max: range.maxPort })
    // Only the members that are present change; the others stay as they were.
    holding.cluster[member] = { ...fieldsOf(holding.cluster[member]), ...fieldsOf(body[member]) }
  }
  return { update: start(eks, holding, { type, params: { [parameter]: body[member] }, finish }) }
}

const versionUpdate = z.looseObject({ version: z.string().regex(/^1\.\d+$/) })

function updateVersion(call: EksCall, eks: EksContext) {
  const holding = holdingNamed(eks, call)
  const { version } = parseBody(versionUpdate, call.body)
  mustBeActive(holding)
  const { cluster } = holding
  const step = minor(version) - minor(cluster.version)
  if (step !== 1 && step !== -1) {
    const message = `Unsupported Kubernetes minor version update from ${cluster.version} to ${version}`
    throw eksError('InvalidParameterException', message, { clusterName: cluster.name })
  }
  const finish = async () => void (cluster.version = version)
  const type = step === 1 ? 'VersionUpdate' : 'VersionRollback'
  const params = { Version: version, PlatformVersion: cluster.platformVersion }
  return { update: start(eks, holding, { type, params, finish }) }
}

const minor = (version: string): number => Number(version.split('.')[1])

/** The cluster is UPDATING until the update has ended, one way or the other. */
function start({ updates }: EksContext, holding: Holding, request: UpdateRequest) {
  holding.cluster.status = 'UPDATING'
  return updates.start(holding, {
    ...request,
    ended: () => {
      if (holding.cluster.status === 'UPDATING') holding.cluster.status = 'ACTIVE'
    },
  })
}
