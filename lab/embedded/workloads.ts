import type { Fieldful, KubeObject } from './object.ts'

/** The parts of the built-in kinds that the controllers read. */
export interface Node extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: Taint[] }
  status?: { addresses?: { type: string; address: string }[] }
}

export interface Taint {
  key: string
  value?: string
  effect: string
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeRequirement[]
  matchFields?: NodeRequirement[]
}

export interface NodeRequirement {
  key: string
  operator: string
  values?: string[]
}

export interface Container extends Fieldful {
  name: string
  image?: string
}

export interface PodSpec extends Fieldful {
  nodeName?: string
  hostNetwork?: boolean
  nodeSelector?: Record<string, string>
  affinity?: {
    nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] } }
  }
  tolerations?: Toleration[]
  containers: Container[]
  initContainers?: Container[]
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status?: { phase?: string; conditions?: { type: string; status: string; lastTransitionTime: string }[] } & Fieldful
}

export interface DaemonSet extends KubeObject {
  spec: {
    selector: { matchLabels?: Record<string, string> }
    template: { metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec }
    updateStrategy?: { type?: string; rollingUpdate?: { maxUnavailable?: number | string } }
    minReadySeconds?: number
  }
}

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

export const isControlledBy = ({ metadata }: KubeObject, owner: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === owner.metadata.uid) === true
