import type { DaemonSetState, EnvVar, PodState } from '../cluster.ts'
import { goLower } from '../felix/go.ts'
import { parameterNames } from '../felix/params.ts'
import { markVariables } from '../mark.ts'
import { ignoreKey } from './annotations.ts'
import { configuredBy, keptCommand } from '../proxy-mode/configured.ts'
import { keptFields, only, present } from './fields.ts'

export function daemonSet(it: DaemonSetState): DaemonSetState {
  const {
    role,
    neighbour,
    namespace,
    name,
    uid,
    generation,
    createdAt,
    updateStrategy,
    selector,
    nodeSelector,
    affinity,
    tolerations,
    status,
  } = it
  const { image, env, envFrom } = it.template
  return present<DaemonSetState>({
    role,
    neighbour,
    namespace,
    name,
    uid,
    generation,
    createdAt,
    updateStrategy,
    selector,
    nodeSelector,
    affinity,
    tolerations,
    status,
    labels: {},
    annotations: only(it.annotations, (key) => key === ignoreKey),
    template: {
      image,
      command: keptCommand(it),
      env: keptEnv(env),
      envFrom,
      configMapMounts: keptMounts(it),
      annotations: {},
    },
    managedFields: keptFields(it.managedFields, [['f:spec', 'f:template', 'f:spec']]),
  })
}

/** Only the mounts that kube-proxy's configuration file may come from. */
const keptMounts = ({ role, template }: DaemonSetState): DaemonSetState['template']['configMapMounts'] =>
  role === 'kube-proxy'
    ? template.configMapMounts.filter(({ configMap }) => configMap === configuredBy({ template })?.configMap)
    : []

export function pod(it: PodState): PodState {
  const {
    role,
    namespace,
    name,
    uid,
    node,
    daemonSet,
    revision,
    image,
    flags,
    createdAt,
    startedAt,
    ready,
    readySince,
    deletedAt,
    restartCount,
    waiting,
  } = it
  return present<PodState>({
    role,
    namespace,
    name,
    uid,
    node,
    daemonSet,
    revision,
    image,
    flags,
    createdAt,
    startedAt,
    ready,
    readySince,
    deletedAt,
    restartCount,
    waiting,
    env: keptEnv(it.env),
    envFrom: it.envFrom,
  })
}

export const isVariable = (name: string): boolean =>
  (/^felix_/i.test(name) && parameterNames.has(goLower(name).slice('felix_'.length))) ||
  Object.values(markVariables).includes(name)

/** Felix's parameters that affect the result, and the variables that they refer to. */
export function keptEnv(env: EnvVar[]): EnvVar[] {
  const names = new Set(env.map(({ name }) => name).filter(isVariable))
  for (let known = -1; known < names.size; ) {
    known = names.size
    for (const { name, value = '' } of env)
      if (names.has(name)) for (const [, other = ''] of value.matchAll(/\$\(([^)]*)\)/g)) names.add(other)
  }
  return env
    .filter(({ name }) => names.has(name))
    .map(({ name, value, from }) => present<EnvVar>({ name, value, from }))
}
