import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb'
import { type Cloud, startCloud } from '../../../lab/aws/cloud.ts'
import { parseFields } from '../../../lab/aws/json.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { delays } from '../../flow/place.ts'
import { startEmbedded } from '../../../lab/embedded/start.ts'
import { applyManifests } from '../../../lab/fixtures/manifests.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { leaseRequest } from '../../../shared/clients/kube/lease.ts'
import { type Rollout, rolloutAnnotations } from '../../../shared/domain/rollout/rollout.ts'

/** How many clusters of each kind; those of the account that is to be closed, and those that are to vanish, are well at first. */
export interface Shape {
  well: number
  unreachable: number
  denied: number
  vanishing: number
  closing: number
  /** With an API server of their own, in which a rollout can have halted. */
  halting?: number
}

export const own = '111122223333'
export const spoke = '222233334444'
export const closed = '333344445555'
const regions = ['eu-west-1', 'eu-central-1']
export const settings = {
  regions,
  accounts: [own, spoke, closed].map((account) => ({ account })),
  policy: { action: 'report' },
}

export interface SweptFleet {
  cloud: Cloud
  moments: Moment[]
  /** Keys of clusters by kind. */
  keys: Record<keyof Shape, string[]>
  /** From now on STS refuses every role of that account. */
  close: () => void
  /** From now on a rollout has halted in those clusters. */
  halt: () => Promise<void>
  /** From now on the API server of all that are well is out of reach. */
  cut: () => Promise<void>
  /** What is on record of clusters and places: `cluster record`, with verdict and what else is asked for in tests. */
  rows: () => Promise<Map<string, { verdict?: string; ended?: string; content?: string; report?: string }>>
  stop: () => Promise<void>
}

/** Clusters of three accounts in two regions. All that are well are one API server: what is shown is the fleet, not the look. */
export const sweptFleet = async (assemblyDir: string, shape: Shape): Promise<SweptFleet> => {
  const workdir = mkdtempSync(join(assemblyDir, '..', 'swept-'))
  const moments: Moment[] = []
  const refused = new Set<string>()
  const viewers = { username: 'viewer', groups: ['calico-ipvs-sync-viewers', 'system:authenticated'] }
  const start = (name: string, user?: typeof viewers) =>
    startEmbedded({ name, workdir, kubernetesVersion: 'v1.35.2', authenticate: async () => user })
  const servers = await Promise.all([start('well', viewers), start('halting', viewers), start('shut')])
  const [well, halting, shut] = servers
  for (const server of [well, halting]) {
    await populate(server, {
      nodes: 2,
      kubernetesVersion: '1.35.2',
      kubeProxy: { mode: 'iptables' },
      calico: { version: 'v3.28.4', install: 'operator' },
    })
    await applyManifests(server)
  }
  const serverOf = (kind: keyof Shape) => (kind === 'denied' ? shut : kind === 'halting' ? halting : well)
  const keys: SweptFleet['keys'] = { well: [], unreachable: [], denied: [], vanishing: [], closing: [], halting: [] }
  const clusters = (Object.keys(shape) as (keyof Shape)[]).flatMap((kind) =>
    Array.from({ length: shape[kind] ?? 0 }, (_, index) => {
      const account = kind === 'closing' ? closed : index % 2 === 0 ? own : spoke
      const region = regions[index % 3 === 0 ? 1 : 0] ?? ''
      const name = `${kind}-${index}`
      keys[kind].push(`${account}/${region}/${name}`)
      const { server, caData } = serverOf(kind)
      const addons = [{ name: 'kube-proxy', version: 'v1.35.2-eksbuild.4', configurationValues: '{"mode":"iptables"}' }]
      return {
        name,
        account,
        region,
        version: '1.35',
        caData,
        addons,
        endpoint: kind === 'unreachable' ? 'https://127.0.0.1:9' : server,
      }
    }),
  )
  const cloud = await startCloud({
    account: own,
    region: 'eu-west-1',
    assemblyDir,
    timeScale: 1 / 200,
    delays,
    environments: 4,
    eks: { clusters },
    mayAssume: (_, role) => !refused.has(role.split(':')[4] ?? ''),
    onMoment: (moment) => void moments.push(moment),
  })
  return {
    cloud,
    moments,
    keys,
    close: () => void refused.add(closed),
    halt: async () => {
      const { method, path, body } = leaseRequest({ annotations: rolloutAnnotations(halted) })
      await halting.request(method, path, body)
    },
    cut: () => well.stop(),
    rows: () => rowsOf(cloud),
    stop: async () => {
      await cloud.stop()
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

/** As our Lease says it of a canary that did not come back. */
const halted: Rollout = {
  id: 'halted',
  state: 'halted',
  phase: 'range',
  target: '20000:32767',
  pace: { strategy: 'staged', maxUnavailable: 1, canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60 },
  where: { api: 'crd.projectcalico.org/v1' },
  skip: [],
  defaulted: [],
  restart: [],
  touching: [],
  startedAt: '2026-11-01T00:00:00.000Z',
  reason: 'the canary did not come back',
}

export const rowsOf = async ({ credentials, environment, stack }: Cloud): ReturnType<SweptFleet['rows']> => {
  const endpoint = environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? ''
  const dynamo = new DynamoDBClient({ region: 'eu-west-1', credentials, endpoint })
  const TableName = stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const rows: Awaited<ReturnType<SweptFleet['rows']>> = new Map()
  for await (const { Items = [] } of paginateScan({ client: dynamo }, { TableName })) {
    for (const item of Items)
      rows.set(`${item['cluster']?.S} ${item['record']?.S}`, {
        ...(item['verdict']?.S && { verdict: item['verdict'].S }),
        ...(item['endedAt']?.S && { ended: item['endedAt'].S }),
        ...(item['content']?.S && { content: item['content'].S }),
        ...(item['report']?.S && { report: item['report'].S }),
      })
  }
  dynamo.destroy()
  return rows
}

export interface SweepLooks {
  /** How often each cluster was looked at, by the log of `evaluate`. */
  clusters: Map<string, number>
  /** Looks beyond the first of a cluster. */
  repeated: number
  /** Messages that came again, because their function was killed or something that it needs did not answer. */
  cameAgain: number
}

export const sweepLooks = (moments: readonly Moment[]): SweepLooks => {
  const looks = new Map<string, number>()
  for (const it of moments) {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    if (line?.['service'] !== 'evaluate' || line['message'] !== 'assessed' || line['reason'] !== 'sweep') continue
    const key = String(line['cluster'])
    looks.set(key, (looks.get(key) ?? 0) + 1)
  }
  const again = moments.map((it) => (it.kind === 'batch' && it.queue === 'Evaluations' ? it.failed.length : 0))
  return {
    clusters: looks,
    repeated: [...looks.values()].reduce((sum, count) => sum + count - 1, 0),
    cameAgain: again.reduce((sum, count) => sum + count, 0),
  }
}
