import type { Behaviour } from './behaviour.ts'
import { access } from './behaviours/access.ts'
import { customResources } from './behaviours/custom-resources.ts'
import { daemonSets } from './behaviours/daemon-sets.ts'
import { deleting } from './behaviours/deleting.ts'
import { discovery } from './behaviours/discovery.ts'
import { managedFields } from './behaviours/managed-fields.ts'
import { nodePorts } from './behaviours/node-ports.ts'
import { outage } from './behaviours/outage.ts'
import { patching } from './behaviours/patching.ts'
import { reading } from './behaviours/reading.ts'
import { simulatedKubelets } from './behaviours/simulated-kubelets.ts'
import { watching } from './behaviours/watching.ts'
import { webhooks } from './behaviours/webhooks.ts'
import { writing } from './behaviours/writing.ts'

/** All that the tool and its tests rely on in an API server, by the part of it. */
export const behaviours: Record<string, Behaviour[]> = {
  discovery,
  access,
  reading,
  writing,
  patching,
  deleting,
  'custom resources': customResources,
  'managed fields': managedFields,
  'daemon sets': daemonSets,
  'simulated kubelets': simulatedKubelets,
  watching,
  webhooks,
  'node ports': nodePorts,
  outage,
}
