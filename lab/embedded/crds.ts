import { type Fieldful, isRecord, type KubeObject, listAt, recordAt, textAt, timestamp } from './object.ts'
import type { Resource, ResourceRegistry } from './resources.ts'
import type { Schema } from './schema.ts'

/** The resources a CustomResourceDefinition defines: one a served version. */
export function resourcesOf(definition: KubeObject): Resource[] {
  const names = recordAt(definition, 'spec', 'names')
  const kind = textAt(names, 'kind') ?? ''
  return listAt(definition, 'spec', 'versions')
    .filter((version) => isRecord(version) && version['served'] !== false)
    .map((version) => ({
      group: textAt(definition, 'spec', 'group') ?? '',
      version: textAt(version, 'name') ?? '',
      plural: textAt(names, 'plural') ?? '',
      singular: textAt(names, 'singular') ?? kind.toLowerCase(),
      kind,
      namespaced: textAt(definition, 'spec', 'scope') === 'Namespaced',
      shortNames: listAt(names, 'shortNames').filter((name) => typeof name === 'string'),
      categories: listAt(names, 'categories').filter((name) => typeof name === 'string'),
      verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
      subresources: isRecord(recordAt(version, 'subresources')['status']) ? ['status'] : [],
      generation: true,
      schema: recordAt(version, 'schema', 'openAPIV3Schema') as Schema,
    }))
}

export function serveDefinition(registry: ResourceRegistry, definition: KubeObject): void {
  const spec = recordAt(definition, 'spec')
  registry.remove(textAt(spec, 'group') ?? '', textAt(spec, 'names', 'plural') ?? '')
  for (const resource of resourcesOf(definition)) registry.add(resource)
}

/** Here a definition is established the moment it is stored; the real server takes a little longer. */
export function established(definition: KubeObject, now: Date): KubeObject {
  const at = timestamp(now)
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: at,
  })
  const stored = listAt(definition, 'spec', 'versions').filter((version) => recordAt(version)['storage'] === true)
  const status: Fieldful = {
    acceptedNames: recordAt(definition, 'spec', 'names'),
    storedVersions: stored.map((version) => textAt(version, 'name')),
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
  }
  return { ...definition, status }
}
