import type { DaemonSetState, EnvVar } from '../../domain/cluster.ts'
import { markVariables, type Neighbour } from '../../domain/mark.ts'
import { type Foreign, objectOf, objectsOf, present, textOf } from '../foreign.ts'
import { envOf, repositoryOf } from './containers.ts'

interface Program {
  neighbour: Neighbour
  image: RegExp
}

/** Programs that mark packets on their nodes, by image, in any registry. */
const programs: Program[] = [
  { neighbour: 'vpc-cni', image: /(^|\/)amazon-k8s-cni$/ },
  { neighbour: 'cilium', image: /(^|\/)cilium(-enterprise)?$/ },
  { neighbour: 'tailscale', image: /(^|\/)tailscale$/ },
  { neighbour: 'weave', image: /(^|\/)weave-kube$/ },
]

export interface Marking {
  neighbour: Neighbour
  image: string
  env: EnvVar[]
}

/** Without hostNetwork a pod's marks do not affect the node. */
export function markingProgram(podSpec: Foreign): Marking | undefined {
  if (podSpec['hostNetwork'] !== true) return undefined
  for (const container of objectsOf(podSpec['containers'])) {
    const image = textOf(container['image']) ?? ''
    const program = programs.find((it) => it.image.test(repositoryOf(image)))
    if (program)
      return { neighbour: program.neighbour, image, env: variableOf(container, markVariables[program.neighbour]) }
  }
  return undefined
}

/**
 * The variable that defines its bits; nothing else of its environment is kept. A whole ConfigMap or Secret may
 * contain any variable.
 */
function variableOf(container: Foreign, variable: string | undefined): EnvVar[] {
  if (variable === undefined) return []
  const own = envOf(container, (name) => name === variable)
  const [from] = objectsOf(container['envFrom']).flatMap((it) =>
    Object.keys(objectOf(it)).filter((key) => key !== 'prefix'),
  )
  return own.length > 0 || from === undefined
    ? own
    : [present<EnvVar>({ name: variable, value: undefined, from: { unknown: from } })]
}

/** Only these fields of such a DaemonSet are needed. */
export const templateOfNeighbour = ({ image, env }: Marking): DaemonSetState['template'] => ({
  image,
  command: [],
  env,
  envFrom: [],
  configMapMounts: [],
  annotations: {},
})
