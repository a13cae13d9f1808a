import type { DaemonSetState, EnvVar } from '../../domain/cluster.ts'
import { markVariables, type Neighbour } from '../../domain/mark.ts'
import { type Foreign, objectOf, objectsOf, present, textOf } from '../foreign.ts'
import { envOf, repositoryOf } from './containers.ts'

interface Program {
  neighbour: Neighbour
  image: RegExp
}

/** Programs that mark packets on the nodes they run on, by image, whatever registry it comes from. */
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

/** In a network of its own a pod's marks are nobody else's. */
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

/** What decides about its bits; nothing else of its environment is kept. From a whole ConfigMap or Secret any variable may come. */
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

/** Of such a DaemonSet nothing else is of interest. */
export const templateOfNeighbour = ({ image, env }: Marking): DaemonSetState['template'] => ({
  image,
  command: [],
  env,
  envFrom: [],
  configMapMounts: [],
  annotations: {},
})
