import type { FelixDraft, FelixPatch, KubeClient } from '../../../shared/clients/kube/client.ts'
import type { FelixObject } from '../../../shared/domain/cluster.ts'
import type { CalicoApi } from '../../../shared/domain/report.ts'
import { KubeError } from '../../../shared/errors.ts'
import { felixObject } from '../../domain/states.ts'
import type { Party } from './call.ts'
import type { Cluster, Watch, Writer } from './cluster.ts'
import { filled, writeFelix } from './felix.ts'
import { conflict, merged, notFound } from './lease.ts'
import { v1, v3 } from './natures.ts'
import { down, type Requests } from './requests.ts'
import type { Stage } from './stage.ts'

type FelixApi = Pick<KubeClient, 'felixConfigurations' | 'createFelix' | 'patchFelix' | 'deleteFelix'>

export const servedBy = ({ nature: { apis }, trouble }: Cluster): readonly string[] =>
  trouble.api === 'gone' ? apis.filter((api) => api !== v3) : apis

/** FelixConfigurations of one cluster, as one party reads and writes them. */
export const felixApiOf = (
  stage: Stage,
  watch: Watch,
  { cluster, party, requests: { reads, writes } }: { cluster: Cluster; party: Party; requests: Requests },
): FelixApi => {
  /** The versions of the objects as this party last read them. */
  const versions = new Map<string, string>()
  const reach = (api: string): void => {
    if (!servedBy(cluster).includes(api)) throw notFound()
    if (api === v3 && cluster.trouble.api === 'down') throw down()
  }
  const isDown = (apis: readonly string[]) => apis.includes(v3) && cluster.trouble.api === 'down'
  const writesFelix = <T>(api: CalicoApi, what: string, name: string, effect: (writer: Writer) => T): Promise<T> => {
    watch.writes(cluster, name)
    return writes(`${what} ${name}`, (writer) => {
      reach(api)
      return effect(writer)
    })
  }
  const store = (writer: Writer, name: string, after: FelixObject | undefined): void => {
    const isRead = cluster.felix.get(name)?.resourceVersion === versions.get(name)
    const object = writeFelix(stage, watch, { cluster, writer, name, after, isRead })
    if (object) versions.set(name, object.resourceVersion)
    else versions.delete(name)
  }
  const stored = (writer: Writer, name: string, after: FelixObject): FelixObject => {
    store(writer, name, after)
    return cluster.felix.get(name) ?? after
  }
  const drafted = ({ name, annotations = {}, spec }: FelixDraft): FelixObject => {
    const uid = `uid-${name}-${cluster.versions}`
    return filled(cluster, felixObject({ name, uid, annotations, spec, createdAt: stage.iso() }))
  }
  const found = ({ name, resourceVersion }: FelixPatch): FelixObject => {
    const object = cluster.felix.get(name)
    if (!object) throw notFound()
    // The server compares only what it is given.
    if (resourceVersion && object.resourceVersion !== resourceVersion) throw conflict()
    return object
  }
  return {
    felixConfigurations: (apis) =>
      reads('FelixConfigurations', () => {
        const isFallback = isDown(apis) && apis.includes(v1)
        const api = apis.includes(v3) && !isFallback ? v3 : v1
        if (!servedBy(cluster).includes(api)) throw unserved(api)
        reach(api)
        versions.clear()
        for (const { name, resourceVersion } of cluster.felix.values()) versions.set(name, resourceVersion)
        // An evaluation asks for all APIs, a step for that of its rollout.
        if (apis.length === 1) watch.looked(cluster)
        else if (party.kind === 'function') watch.evaluated(cluster, party)
        const isNative = apis.includes('apiextensions.k8s.io/v1') && !apis.includes(v1)
        const v3Failure = { kind: 'unavailable', object: 'FelixConfigurations', message: 'no answer' } as const
        return {
          api,
          objects: [...cluster.felix.values()],
          ...(isNative && { nativeV3: true as const }),
          ...(isFallback && { v3Failure }),
        }
      }),
    createFelix: (api, draft, { dryRun = false } = {}) => {
      if (dryRun)
        return writes(`tries ${draft.name}`, () => {
          reach(api)
          return drafted(draft)
        })
      return writesFelix(api, 'creates', draft.name, (writer) => {
        if (cluster.felix.has(draft.name)) throw conflict()
        return stored(writer, draft.name, drafted(draft))
      })
    },
    patchFelix: (api, patch, { dryRun = false } = {}) => {
      const { name, metadata, spec } = patch
      if (dryRun)
        return writes(`tries ${name}`, () => {
          reach(api)
          return found(patch)
        })
      return writesFelix(api, 'patches', name, (writer) => {
        const object = found(patch)
        const annotations = merged(object.annotations, metadata?.annotations) as Record<string, string>
        return stored(writer, name, { ...object, annotations, spec: merged(object.spec, spec) })
      })
    },
    deleteFelix: (api, { name, uid, resourceVersion }) =>
      writesFelix(api, 'deletes', name, (writer) => {
        const object = cluster.felix.get(name)
        if (!object) return false
        if (object.uid !== uid || (resourceVersion && object.resourceVersion !== resourceVersion)) throw conflict()
        store(writer, name, undefined)
        return true
      }),
  }
}

const unserved = (api: string): KubeError =>
  new KubeError('unavailable', `${api} does not serve FelixConfigurations.`, { status: 404 })
