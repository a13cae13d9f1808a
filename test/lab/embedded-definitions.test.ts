import { describe, expect, it } from '@jest/globals'
import { type KubernetesObject, readManifests, requireBinary } from '../../lab/binaries.ts'
import { standInDefinitions } from '../../lab/embedded/calico-definitions.ts'
import type { Schema } from '../../lab/embedded/schema.ts'

interface Definition extends KubernetesObject {
  spec: { scope: string; names: { plural: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] }
}

const kubelab = requireBinary('kubelab')
const shipped = [...readManifests(kubelab, 'calico-crds'), ...readManifests(kubelab, 'operator-crds')] as Definition[]

const specOf = ({ spec }: Definition): Schema => spec.versions[0]?.schema.openAPIV3Schema.properties?.['spec'] ?? {}

/** What of a schema decides which values are stored. */
const kindOf = ({ type, format, 'x-kubernetes-int-or-string': either }: Schema): string =>
  either === true ? 'int-or-string' : [type, ...(format === undefined ? [] : [format])].join(' ')

describe("the stand-ins for Calico's definitions", () => {
  it.each(['felixconfigurations.crd.projectcalico.org', 'clusterinformations.crd.projectcalico.org'])(
    'know every field of the real %s by its type',
    (name) => {
      const real = shipped.find(({ metadata }) => metadata.name === name)
      const standIn = standInDefinitions.find(({ metadata }) => metadata.name === name) as Definition | undefined
      if (real === undefined || standIn === undefined) throw new Error(`${name} is missing`)
      const types = ({ properties = {} }: Schema) =>
        Object.fromEntries(Object.entries(properties).map(([field, schema]) => [field, kindOf(schema)]))
      expect(types(specOf(standIn))).toMatchObject(types(specOf(real)))
    },
  )

  it('are of the scope and version of the real ones', () => {
    const frame = ({ spec: { scope, versions, names } }: Definition) => [scope, versions[0]?.name, names.plural]
    for (const standIn of standInDefinitions as unknown as Definition[]) {
      const real = shipped.find(({ metadata }) => metadata.name === standIn.metadata.name)
      expect(real && frame(real)).toEqual(frame(standIn))
    }
  })
})
