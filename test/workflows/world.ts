import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { DaemonSetState, FelixObject, NodeState, PodState, RolloutRecord } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { fieldManager } from '../../shared/domain/rollout/annotations.ts'
import { stepInput } from '../../shared/domain/rollout/step-input.ts'
import { read } from '../../shared/domain/read.ts'
import { rolloutAnnotations, type Rollout } from '../../shared/domain/rollout/rollout.ts'
import { KubeError } from '../../shared/errors.ts'
import { decisionOf } from '../../shared/workflows/rollout/decision.ts'
import type { StepTools } from '../../shared/workflows/rollout/tools.ts'

/**
 * A cluster in memory with a clock of its own: FelixConfigurations, calico-node pods that come back, our Lease. It notes
 * each time Felix on a node would restart, because the text of its range changed.
 */
export interface World {
  objects: Map<string, FelixObject>
  pods: PodState[]
  /** Nodes whose calico-node pod is gone and not yet made anew. */
  bare: Set<string>
  /** Nodes whose kubelet does not answer: their pods may still be called Ready. */
  silent: Set<string>
  lease: RolloutRecord | undefined
  clock: number
  felixRestarts: { node: string; at: number }[]
  podRestarts: { node: string; at: number }[]
  calls: number
  /** Nodes whose calico-node does not become Ready after the next disturbance. */
  broken: Set<string>
  tools: StepTools
  iso(): string
}

const api = 'crd.projectcalico.org/v1' as const
export const where: Rollout['where'] = {
  api,
  calico: 'v3.28.4',
  spec: true,
}

export const felixObject = (
  name: string,
  annotations: Record<string, string> = {},
  spec: object = {},
): FelixObject => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  createdAt: '2026-01-01T00:00:00Z',
  labels: {},
  annotations,
  spec: spec as Record<string, unknown>,
  managedFields: [],
})

export const calicoPod = (node: string, over: Partial<PodState> = {}): PodState => ({
  role: 'calico-node',
  namespace: 'calico-system',
  name: `calico-node-${node}`,
  uid: `uid-${node}`,
  node,
  daemonSet: 'ds',
  image: 'quay.io/calico/node:v3.28.4',
  createdAt: '2026-01-01T00:00:00Z',
  startedAt: '2026-01-01T00:00:00Z',
  ready: true,
  readySince: '2026-01-01T00:00:00Z',
  restartCount: 0,
  env: [],
  envFrom: [],
  ...over,
})

export const calicoSet: DaemonSetState = {
  role: 'calico-node',
  namespace: 'calico-system',
  name: 'calico-node',
  uid: 'ds',
  generation: 1,
  createdAt: '2026-01-01T00:00:00Z',
  labels: {},
  annotations: {},
  updateStrategy: { type: 'RollingUpdate' },
  selector: { 'k8s-app': 'calico-node' },
  template: { image: '', command: [], env: [], envFrom: [], configMapMounts: [], annotations: {} },
  status: { observedGeneration: 1, desired: 1, current: 1, updated: 1, ready: 1, unavailable: 0 },
  managedFields: [],
}

export const worldOf = (nodes: string[], objects: FelixObject[] = [felixObject('default')]): World => {
  const world: World = {
    objects: new Map(objects.map((it) => [it.name, it])),
    pods: nodes.map((node) => calicoPod(node)),
    bare: new Set(),
    silent: new Set(),
    lease: undefined,
    clock: Date.parse('2026-02-01T12:00:00Z'),
    felixRestarts: [],
    podRestarts: [],
    calls: 0,
    broken: new Set(),
    iso: () => new Date(world.clock).toISOString(),
    tools: {
      kube: kubeOf(() => world),
      holder: 'test',
      leaseSeconds: 60,
      policy: defaultPolicy,
      now: () => new Date(world.clock),
      tell: () => undefined,
    },
  }
  return world
}

/** Of `startRollout`, where no other is given. */
export const quickPace = {
  strategy: 'staged',
  maxUnavailable: 1,
  canarySeconds: 30,
  settleSeconds: 10,
  nodeDeadlineSeconds: 120,
} as const

/** In the Lease, and decided by the world's own party. */
export const startRollout = (world: World, over: Partial<Rollout>): void => {
  const rollout: Rollout = {
    id: 'r1',
    state: 'running',
    phase: over.target === undefined ? 'restarts' : 'range',
    pace: quickPace,
    where,
    skip: [],
    defaulted: [],
    restart: [],
    touching: [],
    startedAt: world.iso(),
    ...over,
  }
  world.lease = {
    resourceVersion: '1',
    holder: 'test',
    renewedAt: world.iso(),
    leaseSeconds: 60,
    annotations: strings(rolloutAnnotations(rollout)),
  }
  world.tools = { ...world.tools, decided: decisionOf(rollout), policy: rollout.pace }
}

/** The text of the range that Felix on each node goes by. */
export const ranges = (world: World): Map<string, string | undefined> => {
  const seen = stepInput({ api, objects: [...world.objects.values()] }, world.pods, where)
  return new Map(world.pods.map((pod) => [pod.node, seen.rangeOn(pod)]))
}

const strings = (annotations: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== null))

const merged = (base: Record<string, unknown>, patch: Record<string, unknown> = {}) => {
  const next = { ...base, ...patch }
  for (const [key, value] of Object.entries(patch)) if (value === null) delete next[key]
  return next
}

/** Every write to a FelixConfiguration goes through here, as every Felix would see it. */
const disturbing = (world: World, write: () => void): void => {
  const before = ranges(world)
  write()
  const after = ranges(world)
  for (const [node, range] of after) if (range !== before.get(node)) disturb(world, node)
}

const disturb = (world: World, node: string): void => {
  world.felixRestarts.push({ node, at: world.clock })
  if (!world.broken.has(node)) return
  world.pods = world.pods.map((pod) => (pod.node === node ? { ...pod, ready: false, readySince: world.iso() } : pod))
}

/** As the API server notes who writes. */
const writtenByUs = (world: World, object: FelixObject): FelixObject => {
  const others = object.managedFields.filter(({ manager }) => manager !== fieldManager)
  return {
    ...object,
    managedFields: [...others, { manager: fieldManager, operation: 'Update', time: world.iso(), fields: {} }],
  }
}

const conflict = () => new KubeError('conflict', 'the object has been modified', { status: 409, reason: 'Conflict' })

const nodeState = (name: string): NodeState => ({
  name,
  labels: {},
  createdAt: '2026-01-01T00:00:00Z',
  ready: true,
  unschedulable: false,
})

const kubeOf = (the: () => World): KubeClient => {
  const never = () => Promise.reject(new Error('a step has no business with this'))
  const counted = <T>(work: (world: World) => T): Promise<T> => {
    const world = the()
    world.calls += 1
    try {
      return Promise.resolve(work(world))
    } catch (error) {
      return Promise.reject(error)
    }
  }
  const stored = (world: World, object: FelixObject) => {
    disturbing(world, () => world.objects.set(object.name, object))
    return object
  }
  return {
    calls: () => the().calls,
    close: () => undefined,
    within: () => kubeOf(the),
    version: never,
    apis: never,
    nodes: (name) =>
      counted(({ pods, bare, silent }) => {
        const names = [...pods.map(({ node }) => node), ...bare].filter((it) => name === undefined || it === name)
        return read(names.map((it) => ({ ...nodeState(it), ready: !silent.has(it) })))
      }),
    daemonSets: () =>
      counted(({ pods, bare }) => {
        const desired = new Set([...pods.map(({ node }) => node), ...bare]).size
        return read([{ ...calicoSet, status: { ...calicoSet.status, desired } }])
      }),
    configMap: never,
    clusterInformation: never,
    installation: never,
    nodePorts: never,
    podLog: never,
    podTail: ({ name }) => counted(() => read([`${name}: no route to host`])),
    ipvsDeprecations: never,
    webhooks: () => counted(() => read([])),
    servingNodes: () => counted(() => read([])),
    proxyMode: never,
    mayI: () => counted(() => read(true)),
    pods: () => counted(({ pods }) => read(pods)),
    felixConfigurations: () => counted(({ objects }) => read({ api, objects: [...objects.values()] })),
    lease: () => counted(({ lease }) => read(lease)),
    putLease: (change) =>
      counted((world) => {
        if (world.lease?.resourceVersion !== change.resourceVersion) throw conflict()
        const { holder: old, ...rest } = world.lease ?? { annotations: {} }
        const holder = change.holder === undefined ? old : change.holder
        world.lease = {
          ...rest,
          resourceVersion: String(Number(world.lease?.resourceVersion ?? 0) + 1),
          annotations: merged(rest.annotations, change.annotations) as Record<string, string>,
          ...(holder && { holder }),
          ...(change.renewedAt && { renewedAt: change.renewedAt }),
          ...(change.leaseSeconds && { leaseSeconds: change.leaseSeconds }),
        }
        return world.lease
      }),
    createFelix: (_api, { name, annotations = {}, spec }, { dryRun = false } = {}) =>
      counted((world) => {
        if (!dryRun && world.objects.has(name)) throw conflict()
        const object = writtenByUs(world, felixObject(name, annotations, spec))
        return dryRun ? object : stored(world, object)
      }),
    patchFelix: (_api, { name, resourceVersion, metadata, spec }, { dryRun = false } = {}) =>
      counted((world) => {
        const object = world.objects.get(name)
        if (object?.resourceVersion !== resourceVersion) throw conflict()
        if (dryRun) return object
        return stored(world, {
          ...writtenByUs(world, object),
          resourceVersion: String(Number(resourceVersion) + 1),
          annotations: merged(object.annotations, metadata?.annotations) as Record<string, string>,
          spec: merged(object.spec, spec),
        })
      }),
    deleteFelix: (_api, { name }) =>
      counted((world) => {
        const object = world.objects.get(name)
        if (object?.finalizers) {
          const resourceVersion = String(Number(object.resourceVersion) + 1)
          world.objects.set(name, { ...object, resourceVersion, deletedAt: object.deletedAt ?? world.iso() })
          return true
        }
        let gone = false
        disturbing(world, () => (gone = world.objects.delete(name)))
        return gone
      }),
    deletePod: ({ uid }) =>
      counted((world) => {
        const pod = world.pods.find((it) => it.uid === uid)
        if (!pod) return false
        world.podRestarts.push({ node: pod.node, at: world.clock })
        const name = `${pod.name}-again`
        const at = world.iso()
        const fresh = calicoPod(pod.node, { name, uid: `${uid}-again`, createdAt: at, startedAt: at, readySince: at })
        world.pods = world.pods.map((it) => (it === pod ? { ...fresh, ready: !world.broken.has(pod.node) } : it))
        return true
      }),
  }
}
