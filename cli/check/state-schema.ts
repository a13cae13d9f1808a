import * as z from 'zod'
import { neighbours } from '../../shared/domain/mark.ts'
import { harmless } from '../../shared/domain/plain.ts'

/**
 * The schema of a captured state, for all fields that the domain reads: a state that passes can be assessed without a
 * crash. Unknown fields are kept, for states of later versions.
 */
const time = z.iso.datetime({ offset: true })
/** A file may be forged, so names and states are sanitized, like a cluster's answers. */
const text = z.string().transform(harmless)
/** Texts that are parsed by the rules of Felix and kube-proxy are not changed. */
const exact = z.string()
const texts = z.record(exact, text)
const exactTexts = z.record(exact, exact)
const count = z.number()
const anything = z.record(exact, z.unknown())

const failure = z.looseObject({
  kind: z.enum(['denied', 'unauthenticated', 'unreachable', 'unavailable', 'malformed']),
  object: text,
  message: text,
  status: count.optional(),
  retryAfterSeconds: count.optional(),
})
/** A section with a value or a failure. */
const section = <T extends z.ZodType>(value: T) => z.union([z.looseObject({ failure }), z.looseObject({ value })])
/** A section whose object need not exist: JSON has no `undefined`, so its `value` is then absent. */
const optional = <T extends z.ZodType>(value: T) =>
  z.union([z.looseObject({ failure }), z.looseObject({ value: value.optional(), failure: z.never().optional() })])

const managedFields = z.array(
  z.looseObject({ manager: text, operation: text, time: text.optional(), fields: anything }),
)
const from = z.union([
  z.looseObject({ configMap: text, key: text, optional: z.boolean() }),
  z.looseObject({ unknown: text }),
])
const env = z.array(z.looseObject({ name: text, value: exact.optional(), from: from.optional() }))
const envFrom = z.array(
  z.union([
    z.looseObject({ unknown: text, prefix: text.optional() }),
    z.looseObject({ configMap: text, optional: z.boolean(), prefix: text.optional() }),
  ]),
)
const role = z.enum(['kube-proxy', 'calico-node', 'calico-node-windows'])
const mode = z.enum(['iptables', 'ipvs', 'nftables'])
const range = z.looseObject({ min: count, max: count })

const taint = z.looseObject({ key: text, value: text.optional(), effect: text })
const toleration = z.looseObject({
  key: text.optional(),
  operator: text.optional(),
  value: text.optional(),
  effect: text.optional(),
})
const requirement = z.looseObject({ key: text, operator: text, values: z.array(text) })
const term = z.looseObject({ labels: z.array(requirement), fields: z.array(requirement) })

const node = z.looseObject({
  name: text,
  labels: texts,
  createdAt: time,
  ready: z.boolean(),
  readySince: time.optional(),
  unschedulable: z.boolean(),
  podsMax: count.optional(),
  kubeletVersion: text.optional(),
  calicoLabels: texts.optional(),
  taints: z.array(taint).optional(),
  kernelVersion: text.optional(),
})

const daemonSet = z.looseObject({
  role: z.enum([...role.options, 'neighbour']),
  neighbour: z.enum(neighbours).optional(),
  namespace: text,
  name: text,
  uid: text,
  generation: count,
  createdAt: time,
  labels: texts,
  annotations: exactTexts,
  updateStrategy: z.looseObject({
    type: z.enum(['RollingUpdate', 'OnDelete']),
    maxUnavailable: z.union([text, count]).optional(),
  }),
  selector: texts,
  nodeSelector: texts.optional(),
  affinity: z.array(term).optional(),
  tolerations: z.array(toleration).optional(),
  template: z.looseObject({
    image: text,
    command: z.array(exact),
    env,
    envFrom,
    configMapMounts: z.array(z.looseObject({ mountPath: text, configMap: text, items: texts.optional() })),
    annotations: exactTexts,
  }),
  status: z.looseObject({
    observedGeneration: count,
    desired: count,
    current: count,
    updated: count,
    ready: count,
    unavailable: count,
  }),
  managedFields,
})

const pod = z.looseObject({
  role,
  namespace: text,
  name: text,
  uid: text,
  node: text,
  daemonSet: text.optional(),
  revision: text.optional(),
  image: text,
  flags: z.array(text).optional(),
  createdAt: time,
  startedAt: time.optional(),
  ready: z.boolean(),
  readySince: time.optional(),
  deletedAt: time.optional(),
  restartCount: count,
  waiting: text.optional(),
  env,
  envFrom,
})

const felixObject = z.looseObject({
  name: text,
  uid: text,
  resourceVersion: text,
  createdAt: time,
  labels: texts,
  annotations: exactTexts,
  spec: anything,
  managedFields,
})

const eks = z.looseObject({
  status: text,
  arn: text,
  createdAt: time.optional(),
  version: text.optional(),
  serviceNodePortRange: range.optional(),
  autoMode: z.boolean(),
  kubeProxyAddon: optional(
    z.looseObject({ status: text, version: text.optional(), configurationValues: exact.optional() }),
  ),
  updates: section(z.array(z.looseObject({ id: text, type: text, status: text }))),
  tags: texts,
})

const marks = z.looseObject({
  arn: text.optional(),
  name: text.optional(),
  account: text.optional(),
  region: text.optional(),
  endpoint: text.optional(),
  authorities: z.array(text).optional(),
})

const configMap = z.looseObject({
  data: exactTexts,
  createdAt: time,
  managedFields,
  labels: texts,
  annotations: exactTexts,
})

export const stateSchema = z.looseObject({
  schemaVersion: z.literal(1),
  cluster: z.looseObject({
    name: text,
    arn: text.optional(),
    account: text.optional(),
    region: text.optional(),
    context: text.optional(),
  }),
  observedAt: time,
  eks: section(eks).optional(),
  identity: z
    .looseObject({ connected: marks.extend({ unverified: z.literal(true).optional() }), described: marks.optional() })
    .optional(),
  reachedBy: z
    .strictObject({
      kubeconfig: text.optional(),
      role: text.optional(),
      profile: text.optional(),
      inCluster: z.boolean().optional(),
      listing: z.boolean().optional(),
    })
    .optional(),
  givenServiceRange: range.extend({ source: z.enum(['eks-api', 'default', 'probe', 'flag']) }).optional(),
  probeFailure: failure.optional(),
  kubernetesVersion: section(text),
  nodes: section(z.array(node)),
  daemonSets: section(z.array(daemonSet)),
  pods: section(z.array(pod)),
  configMaps: z.record(exact, optional(configMap)),
  felix: section(
    z.looseObject({
      api: z.enum(['projectcalico.org/v3', 'crd.projectcalico.org/v1']),
      v3Failure: failure.optional(),
      objects: z.array(felixObject),
    }),
  ),
  clusterInformation: optional(z.looseObject({ calicoVersion: text.optional() })),
  installation: optional(
    z.looseObject({
      calicoVersion: text.optional(),
      linuxDataplane: text.optional(),
      cniType: text.optional(),
      variant: text.optional(),
      annotations: exactTexts,
    }),
  ),
  nodePorts: section(
    z.array(z.looseObject({ port: count, service: text, field: z.enum(['nodePort', 'healthCheckNodePort']) })),
  ),
  logs: z.record(
    exact,
    section(
      z.looseObject({
        mode: mode.optional(),
        felixIpvs: z.boolean().optional(),
        line: text.optional(),
        at: time.optional(),
        missing: z.array(text).optional(),
        ended: text.optional(),
        linkSeen: z.looseObject({ line: text, at: time.optional() }).optional(),
      }),
    ),
  ),
  modeEvidence: z
    .record(text, z.array(z.looseObject({ kind: z.enum(['event', 'proxyMode']), mode, at: time.optional() })))
    .optional(),
  webhookNodes: section(z.array(text)).optional(),
  rollout: optional(
    z.looseObject({
      resourceVersion: text,
      holder: text.optional(),
      renewedAt: time.optional(),
      leaseSeconds: count.optional(),
      annotations: exactTexts,
    }),
  ),
})

/** The deepest error: for a section that matches neither form, the error of the intended form. */
export const complaint = (error: z.ZodError): string => {
  const [first] = error.issues
  return first ? deepest(first) : 'not readable'
}

const deepest = (issue: z.core.$ZodIssue, path: PropertyKey[] = []): string => {
  const here = [...path, ...issue.path]
  if (issue.code === 'invalid_union') {
    // The form of a section with a value is the last alternative.
    const [inner] = issue.errors.at(-1) ?? []
    if (inner) return deepest(inner, here)
  }
  return `${here.map(String).join('.') || 'the whole'}: ${issue.message}`
}
