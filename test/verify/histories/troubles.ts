import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { annotated, type Disturbance, edit, somebody, type World } from './acts.ts'
import { anOverride } from './edits.ts'
import type { Cluster, Trouble } from './cluster.ts'
import { places } from './inputs.ts'
import { restartFelix } from './machines.ts'
import { v1, v3 } from './natures.ts'
import type { Random } from './random.ts'
import { rangeKey } from '../../domain/states.ts'

/** Of a cluster, for a while. */
const troubled = ({ stage }: World, cluster: Cluster, { seconds, ...trouble }: Trouble & { seconds: number }): void => {
  Object.assign(cluster.trouble, trouble)
  stage.note('somebody', `${cluster.ref.name}: ${JSON.stringify(trouble)}`)
  stage.schedule.after(seconds * 1000, () => untroubled(cluster, trouble))
}

const untroubled = (cluster: Cluster, trouble: Trouble): void => {
  for (const key of Object.keys(trouble)) delete cluster.trouble[key as keyof Trouble]
}

const aWhile = (random: Random): number => random.pick([random.between(30, 300), random.between(300, 3_600)])
const markMask = 'config.projectcalico.org/IptablesMarkMask'

/** For a while, an account of the fleet is in this set. */
const included = ({ stage }: World, set: Set<string>, { account, seconds }: { account: string; seconds: number }) => {
  set.add(account)
  stage.schedule.after(seconds * 1000, () => void set.delete(account))
}

/** What keeps us from reading or writing for a while. */
export const troubles: Record<string, Disturbance> = {
  "Calico's API server does not answer": (world, cluster, random) => {
    if (cluster.nature.apis.includes(v3) && cluster.nature.apis.includes(v1))
      troubled(world, cluster, { api: random.pick<'down' | 'gone'>(['down', 'gone', 'gone']), seconds: aWhile(random) })
  },
  'RBAC denies our writes': (world, cluster, random) =>
    troubled(world, cluster, { denied: true, seconds: aWhile(random) }),
  'Calico is being migrated': (world, cluster, random) =>
    troubled(world, cluster, { migrating: true, seconds: aWhile(random) }),
  'the API server has no answer': (world, cluster, random) =>
    troubled(world, cluster, {
      closed: random.pick<'unreachable' | 'unauthenticated'>(['unreachable', 'unauthenticated']),
      seconds: aWhile(random),
    }),
  'lists of nodes are empty': (world, cluster, random) =>
    troubled(world, cluster, { nodeless: true, seconds: random.between(10, 300) }),
  'no log can be read': (world, cluster, random) =>
    troubled(world, cluster, {
      logless: random.pick<'alone' | 'and no ConfigMap'>(['alone', 'and no ConfigMap']),
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
    const copy = JSON.stringify({ annotations: { [rangeKey]: '31500:32000' } })
    edit(world, cluster, { name, change: (object) => annotated(object, { 'projectcalico.org/metadata': copy }) })
  },
  "the spoke's roles are deleted": (world, _, random) =>
    included(world, world.fleet.roleless, { account: places[1].account, seconds: aWhile(random) }),
  'clusters cannot be listed': (world, { ref }, random) =>
    included(world, world.fleet.unlisted, { account: ref.account, seconds: random.between(1, 10) * 3_600 }),
  'an account leaves the organization': (world, _, random) =>
    included(world, world.fleet.outside, { account: places[1].account, seconds: random.between(60, 240) * 60 }),
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
  'events of others arrive': ({ hear }, { ref }, random) => {
    const detail = { eventSource: 'eks.amazonaws.com', requestParameters: { name: ref.name } }
    const call = {
      ...ref,
      'detail-type': 'AWS API Call via CloudTrail',
      detail: { ...detail, eventName: 'UpdateClusterConfig' },
    }
    hear(
      random.pick<object>([
        { ...call, account: '999900001111' },
        { ...call, account: 'nobody' },
        { ...call, detail: { ...detail, eventSource: 'ec2.amazonaws.com', eventName: 'RunInstances' } },
        { ...call, detail: { ...call.detail, recipientAccountId: '999900001111' } },
        { 'detail-type': 'EC2 Spot Instance Interruption Warning' },
      ]),
    )
  },
  'audit logs of others arrive': ({ hearLog }, { ref }, random) => {
    const line = (verb: string, resource: string) =>
      JSON.stringify({
        stage: 'ResponseComplete',
        verb,
        objectRef: { resource, apiGroup: 'crd.projectcalico.org' },
        responseStatus: { code: 200 },
      })
    const group = `/aws/eks/${ref.name}/cluster`
    const given = { owner: places[0].account, logGroup: group, logStream: 'kube-apiserver-audit-1', lines: [] }
    hearLog(
      random.pick([
        { ...given, owner: '999900001111' },
        { ...given, logGroup: '/aws/lambda/other' },
        { ...given, logStream: 'authenticator-1' },
        { ...given, lines: [line('get', 'felixconfigurations'), 'no line'] },
        { ...given, lines: [line('patch', 'ippools'), line('delete', 'installations')] },
      ]),
    )
  },
}
