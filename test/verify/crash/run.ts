import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import type { EksCluster } from '../../../shared/clients/aws/eks.ts'
import { notices } from '../../../shared/clients/aws/notices.ts'
import { queues } from '../../../shared/clients/aws/queues.ts'
import { records } from '../../../shared/clients/aws/records.ts'
import { actedRecords } from '../../../shared/clients/aws/records-writes.ts'
import { assess } from '../../../shared/domain/assess/assess.ts'
import { type Action, type BrakePosition, policyWith, type Policy } from '../../../shared/domain/policy/policy.ts'
import { type Read, valueOf } from '../../../shared/domain/read.ts'
import { soundRollout } from '../../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../../shared/domain/rollout/rollout.ts'
import type { JournalEntry } from '../../../shared/domain/rollout/journal.ts'
import { clusterKey, type ClusterRef, evaluation, rolloutStepMessage, telling } from '../../../shared/messages.ts'
import * as beginning from '../../../shared/workflows/fleet/beginning.ts'
import { evaluate } from '../../../shared/workflows/fleet/evaluate.ts'
import * as looking from '../../../shared/workflows/fleet/looking.ts'
import { observe } from '../../../shared/workflows/observe/observe.ts'
import { sendNotice } from '../../../shared/workflows/fleet/tell-send.ts'
import { handleStep } from '../../../shared/workflows/fleet/rollout-message.ts'
import { createCrashes, type CrashPoint, type Crashes, type Effect, type Life } from './life.ts'
import type { Observed } from './observed.ts'
import {
  crashingKube,
  mortalNotices,
  mortalQueues,
  mortalTables,
  type Published,
  table,
  writesOnRecord,
} from './outside.ts'
import { createPost, type Post, type Received, type DeliveryFaults } from './post.ts'
import { range, type Scene } from './scene.ts'

/** How one run differs from a clean one. */
export interface Mishap {
  crashPoint?: CrashPoint
  delivery?: Omit<DeliveryFaults, 'beforeSkip'>
  /** In place of the straight way to the API server. */
  kube?: KubeClient
  /** Before each message, with how many were received. */
  between?: (nth: number) => Promise<void>
  policy?: Partial<Policy>
  /** Where the deployment's brake stands, by what was done so far; absent: the deployment has none. */
  brake?: (effects: Effect[]) => BrakePosition
  /** The cluster's name, where a run goes on from another; else each run is of a cluster never heard of. */
  name?: string
  /** Where what is seen is gathered already. */
  observed?: Observed
  /** What makes it look first. */
  first?: 'event' | 'sweep'
}

/** What came of a run. */
export interface Outcome {
  crashing: Crashes
  post: Post
  published: Published[]
  observed: Observed
  rollout: Rollout | undefined
  holder: string | undefined
  verdict: string
  /** Why it is not known whether a node is in step. */
  doubt: string | undefined
  sweeps: number
  errors: string[]
  /** What the table tells of writes, and what the Lease's own list does. */
  record: JournalEntry[]
  journal: JournalEntry[]
}

const sweepsAtMost = 4
const hour = 3_600_000
/** Per node: a chain that doubles goes far beyond. */
const deliveriesAtMost = 200

let runs = 0

/** From the event that says "look" to the end: messages are worked on one after the other, as Lambda does for one cluster. */
export const runOnce = async (
  scene: Omit<Scene, 'set'>,
  dynamo: DynamoDBClient,
  mishap: Mishap = {},
): Promise<Outcome> => {
  runs += 1
  const cluster: ClusterRef = { account: '111122223333', region: 'us-east-1', name: mishap.name ?? `crash-${runs}` }
  const crashing = createCrashes(mishap.crashPoint)
  // While the API server is away there is nothing to catch up with.
  const beforeSkip = () => scene.observer.caughtUp().catch(() => undefined)
  const post = createPost(scene.clock, { ...mishap.delivery, beforeSkip })
  const observed = mishap.observed ?? (await scene.observer.begin())
  const { direct } = scene
  const it: Run = {
    scene,
    dynamo,
    cluster,
    crashing,
    post,
    mishap,
    kube: mishap.kube ?? direct,
    published: [],
    errors: [],
  }
  let sweeps = 0
  await look(it, mishap.first ?? 'event')
  for (; (!(await workedOff(it, direct)) || isBraked(it)) && sweeps < sweepsAtMost; sweeps += 1) {
    scene.clock.skip(hour)
    await look(it, 'sweep')
  }
  await scene.observer.caughtUp()
  const record = valueOf(await direct.lease())
  const policy = policyWith({ action: 'sync', ...mishap.policy })
  const { verdict, nodes } = assess(await lookThrough(it, direct)(), policy).report
  const doubt = nodes.find((node) => node.verdict === 'unknown')?.reason
  const { published, errors } = it
  const rollout = soundRollout(record, scene.clock.now().getTime())
  const kept = { record: await writesOnRecord(dynamo, clusterKey(cluster)), journal: rollout?.journal?.entries ?? [] }
  return {
    crashing,
    post,
    published,
    observed,
    rollout,
    holder: record?.holder,
    verdict,
    doubt,
    sweeps,
    errors,
    ...kept,
  }
}

interface Run {
  scene: Omit<Scene, 'set'>
  dynamo: DynamoDBClient
  cluster: ClusterRef
  crashing: Crashes
  post: Post
  mishap: Mishap
  kube: KubeClient
  published: Published[]
  errors: string[]
}

/** While the brake is set, nobody is told of a halt either: the sweep after its release does. */
const isBraked = ({ mishap: { brake }, crashing }: Run): boolean =>
  brake !== undefined && brake(crashing.effects).most !== 'sync'

/** An event or the schedule: neither is part of what may die. */
const look = async ({ post, cluster }: Run, reason: 'event' | 'sweep'): Promise<void> => {
  const urls = { evaluations: 'evaluations' }
  await queues({ send: post.send } as never, urls).sendEvaluation({ schemaVersion: 1, cluster, reason })
}

/** Until no message is left; answers whether the rollout has come to an end. */
const workedOff = async (it: Run, direct: KubeClient): Promise<boolean> => {
  for (;;) {
    await it.mishap.between?.(it.post.deliveries)
    const message = await it.post.receive()
    if (!message) break
    if (it.post.deliveries > deliveriesAtMost * it.scene.nodes.length)
      throw new Error('The messages do not come to an end.')
    const life = it.crashing.start()
    const end = await life.live(async () => {
      await work(it, life, message)
      await life.effect(`acknowledge ${message.queue}`, async () => it.post.acknowledge(message))
    })
    if (end instanceof Error) it.errors.push(end.message)
  }
  const rollout = soundRollout(valueOf(await direct.lease()), it.scene.clock.now().getTime())
  return rollout?.state === 'done' || rollout?.state === 'halted'
}

const work = async (it: Run, life: Life, { queue, body, id }: Received): Promise<void> => {
  const { scene, post, dynamo } = it
  const kube = crashingKube(it.kube, life)
  const tools = {
    fleet: { own: '111122223333', regions: ['us-east-1'], accounts: [{ account: '111122223333' }] },
    describe: async () => describe(it),
    observe: lookThrough(it, kube),
    looking: async () => looking,
    beginning: async () => beginning,
    kube: () => kube,
    records: { ...records(mortalTables(dynamo, life), table), ...actedRecords(mortalTables(dynamo, life), table) },
    notices: notices(mortalNotices(it.published, life), { topicArn: 'topic' }),
    queues: queues(mortalQueues(post, life), {
      evaluations: 'evaluations',
      rolloutSteps: 'rollout-steps.fifo',
      tellings: 'tellings',
    }),
    policy: policyWith({ action: 'sync', ...it.mishap.policy }),
    now: scene.clock.now,
    log: () => undefined,
    tell: () => undefined,
    holder: 'calico-ipvs-sync (AWS Lambda)',
    leaseSeconds: 900,
  }
  const { brake } = it.mishap
  const braking = brake && {
    brake: { read: async () => brake(it.crashing.effects), command: (to: Action) => `brake ${to}` },
  }
  const message: unknown = JSON.parse(body)
  if (queue === 'tellings') await sendNotice(tools, telling.parse(message))
  else if (queue === 'evaluations')
    await evaluate({ ...tools, ...braking }, evaluation.parse(message), { messageId: id })
  else await handleStep({ ...tools, ...braking, access: tools }, rolloutStepMessage.parse(message), { messageId: id })
}

const describe = ({ scene: { cluster }, cluster: { name } }: Pick<Run, 'scene' | 'cluster'>): Read<EksCluster> => ({
  value: {
    endpoint: { server: cluster.server, caData: cluster.caData, tokenFor: name },
    state: {
      status: 'ACTIVE',
      version: '1.36',
      arn: `arn:aws:eks:us-east-1:111122223333:cluster/${name}`,
      serviceNodePortRange: range,
      autoMode: false,
      kubeProxyAddon: { value: undefined },
      updates: { value: [] },
      tags: {},
    },
  },
})

const lookThrough =
  ({ scene, cluster }: Run, kube: KubeClient) =>
  () => {
    const eks = valueOf(describe({ scene, cluster }))?.state
    return observe({ kube, identity: cluster, now: scene.clock.now(), ...(eks && { eks: { value: eks } }) })
  }
