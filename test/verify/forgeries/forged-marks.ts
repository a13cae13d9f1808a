import type { LabCluster } from '../../../lab/cluster.ts'
import { rangeAnnotation } from '../../../shared/domain/rollout/annotations.ts'
import type { Kind } from './forged-leases.ts'
import type { Random } from './random.ts'
import { felix, felixPath, foreign, mergePatch, nodes } from './world.ts'

const values = ['created', 'created', 'created', 'added', '', 'CREATED', 'x'.repeat(3000)]
const times = [
  '2099-01-01T00:00:00Z',
  '2020-01-01T00:00:00Z',
  'never',
  '',
  '9999-12-31T23:59:59.999Z',
  new Date(0).toISOString(),
]
const changes = (random: Random): string =>
  random.pick([
    JSON.stringify({ by: 'root', rollout: 'aaaabbbbcccc', from: '1:2', why: 'forged' }),
    JSON.stringify({ by: 'a\nb', rollout: 'x', from: 7, why: null }),
    JSON.stringify({ by: 'x'.repeat(5000), rollout: 'y'.repeat(5000) }),
    '{',
    'null',
  ])

const annotate = (cluster: LabCluster, name: string, annotations: Record<string, string>): Promise<unknown> =>
  cluster.request('PATCH', `${felixPath}/${name}`, { metadata: { annotations } }, mergePatch)

/** Our marks on an object that is not ours: copied YAML, or a restored backup. */
const marked: Kind = (random) => {
  const name = random.pick(['default', ...foreign])
  const value = random.pick(values)
  const marks = {
    'calico-ipvs-sync/override': value,
    ...(random.chance(0.6) && { 'calico-ipvs-sync/changed-at': random.pick(times) }),
    ...(random.chance(0.6) && { 'calico-ipvs-sync/change': changes(random) }),
  }
  return {
    what: `mark ${value.slice(0, 10)} on ${name} (${Object.keys(marks).length} annotations)`,
    put: async (cluster) => void (await annotate(cluster, name, marks)),
  }
}

/** The same in the copy of the metadata that Calico keeps. */
const copied: Kind = (random) => {
  const name = random.pick(['default', ...foreign])
  const annotations = { 'calico-ipvs-sync/override': random.pick(values), 'calico-ipvs-sync/change': changes(random) }
  const copy = random.pick([
    JSON.stringify({ name, annotations }),
    '{',
    'null',
    '[]',
    '{"annotations":7}',
    '{"annotations":{"a":{}}}',
  ])
  return {
    what: `copy of the metadata on ${name}: ${copy.slice(0, 60)}`,
    put: async (cluster) => void (await annotate(cluster, name, { 'projectcalico.org/metadata': copy })),
  }
}

/** An object of somebody else's under the name of an override, marked as ours, with settings that we never write. */
const lookalike: Kind = (random) => {
  const name = random.pick([`node.${nodes[0]}`, `node.${nodes[2]}`, 'node.gone', 'node.', 'nodes', 'other'])
  const settings = random.pick([
    { failsafeInboundHostPorts: [] },
    { logSeverityScreen: 'Fatal' },
    { reportingInterval: '0s' },
  ])
  const value = random.pick(['20000:32767', '30000:32767', '1:65535', 'nonsense'])
  const ranged = random.chance(0.5)
  const marks = { 'calico-ipvs-sync/override': 'created', ...(ranged && { [rangeAnnotation]: value }) }
  return {
    what: `an override that is not ours: ${name}, ${JSON.stringify(settings)}${ranged ? `, range ${value}` : ''}`,
    needsRange: ranged,
    put: async (cluster) => {
      // A name that the server does not take leaves nothing to try.
      await cluster.request('POST', felixPath, felix(name, settings, marks)).catch(() => undefined)
    },
  }
}

export const markKinds: Kind[] = [marked, marked, copied, lookalike]
