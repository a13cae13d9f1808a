import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { annotated, type Disturbance, edit, machineOf, somebody, type World } from './acts.ts'
import { anOverride } from './edits.ts'
import type { Cluster, Trouble } from './cluster.ts'
import { places, queueNames } from './inputs.ts'
import { losePod, restartFelix, startMissing } from './machines.ts'
import { crds, v3 } from './natures.ts'
import type { Random } from './random.ts'
import type { Stage } from './stage.ts'
import { rangeKey } from '../../domain/states.ts'

/** Of a cluster, for a while. */
export const troubled = (
  { stage }: World,
  cluster: Cluster,
  { seconds, ...trouble }: Trouble & { seconds: number },
): void => {
  Object.assign(cluster.trouble, trouble)
  stage.note('somebody', `${cluster.ref.name}: ${JSON.stringify(trouble)}`)
  stage.schedule.after(seconds * 1000, () => untroubled(cluster, trouble))
}

const untroubled = (cluster: Cluster, trouble: Trouble): void => {
  for (const key of Object.keys(trouble)) delete cluster.trouble[key as keyof Trouble]
}

export const aWhile = (random: Random): number => random.pick([random.between(30, 300), random.between(300, 3_600)])
/** How much else cannot be read, either. */
export const logless = ['alone', 'and no ConfigMap', 'and nothing else'] as const

const markMask = 'config.projectcalico.org/IptablesMarkMask'

/** For a while, an account of the fleet is in this set. */
export const included = (
  { stage }: World,
  set: Set<string>,
  { account, seconds }: { account: string; seconds: number },
) => {
  set.add(account)
  stage.schedule.after(seconds * 1000, () => void set.delete(account))
}

/** Its clusters have no verdict any more, as if they were switched off. */
export const leaveFleet = (world: World, { account, seconds }: { account: string; seconds: number }): void => {
  const { stage, fleet } = world
  const forget = () => {
    if (fleet.outside.has(account)) unjudged(world, account)
  }
  stage.schedule.after(seconds * 1000, forget)
  included(world, fleet.outside, { account, seconds })
  forget()
}

/** What was said of its clusters before needs no end. */
export const unjudged = ({ stage, onlooker }: World, account: string): void => {
  for (const page of onlooker.pages()) if (page.cluster.ref.account === account) page.switchedAt = stage.schedule.now()
}

/** Of a node that was changed, if there is one. */
export const taint = (stage: Stage, cluster: Cluster, random: Random): void => {
  const name = anOverride(cluster, random)?.slice('node.'.length)
  const machine = cluster.machines.get(name ?? '') ?? machineOf(cluster, random)
  if (!machine) return
  machine.tainted = true
  losePod(stage, cluster, machine)
  stage.schedule.after(aWhile(random) * 1000, () => {
    delete machine.tainted
    startMissing(stage, cluster)
  })
}

export const removeDaemonSet = (
  stage: Stage,
  cluster: Cluster,
  { seconds, random }: { seconds: number; random: Random },
): void => {
  const { schedule, note } = stage
  const unseenSeconds = random.between(1, 40)
  cluster.trouble.daemonSet = 'gone'
  note('somebody', `${cluster.ref.name}: Calico's DaemonSet is deleted`)
  for (const machine of cluster.machines.values()) losePod(stage, cluster, machine)
  schedule.after(seconds * 1000, () => {
    cluster.trouble.daemonSet = 'unseen'
    note('somebody', `${cluster.ref.name}: Calico's DaemonSet is made again`)
  })
  schedule.after((seconds + unseenSeconds) * 1000, () => {
    delete cluster.trouble.daemonSet
    startMissing(stage, cluster)
  })
}

/** What keeps us from reading or writing for a while. */
export const troubles: Record<string, Disturbance> = {
  "Calico's API server does not answer": (world, cluster, random) => {
    if (cluster.nature.apis.includes(v3) && !cluster.nature.apis.includes(crds))
      troubled(world, cluster, { api: random.pick<'down' | 'gone'>(['down', 'gone', 'gone']), seconds: aWhile(random) })
  },
  'RBAC denies our writes': (world, cluster, random) =>
    troubled(world, cluster, { denied: true, seconds: aWhile(random) }),
  'Calico is being migrated': (world, cluster, random) =>
    troubled(world, cluster, { migrating: true, seconds: aWhile(random) }),
  /** As by a migration, or by hand: where it is made again, its controller looks at it a moment later. */
  "Calico's DaemonSet is deleted for a while": ({ stage }, cluster, random) =>
    removeDaemonSet(stage, cluster, { seconds: aWhile(random), random }),
  /** Mostly one that was changed a moment ago. */
  'a node gets a taint for a while': ({ stage, armed }, cluster, random) => {
    const ms = random.between(500, 60_000)
    if (anOverride(cluster, random) !== undefined) taint(stage, cluster, random)
    else armed.wrote.push((where) => stage.schedule.after(ms, () => taint(stage, where, random)))
  },
  'the API server has no answer': (world, cluster, random) =>
    troubled(world, cluster, {
      closed: random.pick<'unreachable' | 'unauthenticated'>(['unreachable', 'unauthenticated']),
      seconds: aWhile(random),
    }),
  'lists of nodes are empty': (world, cluster, random) =>
    troubled(world, cluster, { nodeless: true, seconds: random.between(10, 300) }),
  'lists of pods are empty': (world, cluster, random) =>
    troubled(world, cluster, { podless: true, seconds: random.between(10, 300) }),
  'a queue is not worked on for a while': ({ stage, queues }, _, random) => {
    const [name, minutes] = [random.pick(queueNames), random.between(2, 35)]
    queues.rest(name, minutes * 60)
    stage.note('Lambda', `works on no message of ${name} for ${minutes} minutes`)
  },
  'no log can be read': (world, cluster, random) =>
    troubled(world, cluster, {
      logless: random.pick(logless),
      seconds: aWhile(random),
    }),
  'somebody writes what Felix rejects': (world, cluster, random) => {
    const { stage } = world
    const restart = () => {
      for (const machine of cluster.machines.values())
        if (machine.calico) restartFelix(stage, cluster, { machine, writer: somebody })
    }
    cluster.trouble.rejected = true
    edit(world, cluster, { name: 'default', change: (object) => annotated(object, { [markMask]: 'none' }) })
    restart()
    stage.schedule.after(aWhile(random) * 1000, () => {
      delete cluster.trouble.rejected
      const change = (object: FelixObject) => {
        const { [markMask]: _none, ...annotations } = object.annotations
        return { ...object, annotations }
      }
      edit(world, cluster, { name: 'default', change })
      restart()
    })
  },
  'somebody writes the copy of the metadata': (world, cluster, random) => {
    if (!cluster.nature.copies) return
    const name = anOverride(cluster, random) ?? 'default'
    // `null` is a copy without content.
    const copy = random.pick([JSON.stringify({ annotations: { [rangeKey]: '31500:32000' } }), 'null', '{}'])
    edit(world, cluster, { name, change: (object) => annotated(object, { 'projectcalico.org/metadata': copy }) })
  },
  "the spoke's roles are deleted": (world, _, random) =>
    included(world, world.fleet.roleless, { account: places[1].account, seconds: aWhile(random) }),
  'clusters cannot be listed': (world, { ref }, random) =>
    included(world, world.fleet.unlisted, { account: ref.account, seconds: random.between(1, 10) * 3_600 }),
  'an account leaves the organization': (world, _, random) =>
    leaveFleet(world, { account: places[1].account, seconds: random.between(60, 240) * 60 }),
  'EKS updates the cluster for hours': (world, cluster, random) => {
    cluster.eks = { ...cluster.eks, status: 'UPDATING' }
    world.event(cluster, 'UpdateClusterVersion')
    world.stage.schedule.after(random.between(1, 5) * 3_600_000, () => {
      cluster.eks = { ...cluster.eks, status: 'ACTIVE' }
      world.event(cluster, 'UpdateClusterVersion')
    })
  },
  'the cluster is deleted for good': (world, cluster) => {
    cluster.exists = false
    world.fleet.clusters.delete(clusterKey(cluster.ref))
    world.stage.note('somebody', `${cluster.ref.name} is deleted`)
    world.event(cluster, 'DeleteCluster')
  },
  'events of others arrive': ({ hear }, { ref }) => {
    const detail = { eventSource: 'eks.amazonaws.com', requestParameters: { name: ref.name } }
    const call = {
      ...ref,
      'detail-type': 'AWS API Call via CloudTrail',
      detail: { ...detail, eventName: 'UpdateClusterConfig' },
    }
    const others: object[] = [
      { ...call, account: '999900001111' },
      { ...call, account: 'nobody' },
      { ...call, detail: { ...detail, eventSource: 'ec2.amazonaws.com', eventName: 'RunInstances' } },
      { ...call, detail: { ...call.detail, recipientAccountId: '999900001111' } },
      { 'detail-type': 'EC2 Spot Instance Interruption Warning' },
    ]
    for (const it of others) hear(it)
  },
  'audit logs of others arrive': ({ hearLog }, { ref }) => {
    const line = (verb: string, resource: string) =>
      JSON.stringify({
        stage: 'ResponseComplete',
        verb,
        objectRef: { resource, apiGroup: 'crd.projectcalico.org' },
        responseStatus: { code: 200 },
      })
    const group = `/aws/eks/${ref.name}/cluster`
    const given = { owner: places[0].account, logGroup: group, logStream: 'kube-apiserver-audit-1', lines: [] }
    const others = [
      { ...given, owner: '999900001111' },
      { ...given, logGroup: '/aws/lambda/other' },
      { ...given, logStream: 'authenticator-1' },
      { ...given, lines: [line('get', 'felixconfigurations'), 'no line'] },
      { ...given, lines: [line('patch', 'ippools'), line('delete', 'installations')] },
    ]
    for (const it of others) hearLog(it)
  },
}
