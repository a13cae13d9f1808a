import type { Applied, Manifests } from '../../shared/clients/kube/manifests.ts'
import type { ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { idOf, type Manifest, objectFor, objectWithout, type Stored } from '../../shared/domain/grant/objects.ts'
import { kubectlOn } from '../../shared/domain/findings/remedy.ts'
import { type Act, objectName } from './row.ts'
import { applyCommand, troubleOf } from './trouble.ts'

interface Meant {
  changes?: boolean
}

/** The result of an apply of the manifest, from a dry run. */
export const objectAct = async (
  kube: Manifests,
  manifest: Manifest,
  place: ClusterAddress,
  meant: Meant,
): Promise<Act> => {
  const what = objectName(idOf(manifest))
  const { namespace } = manifest.metadata
  if (namespace !== undefined && namespace !== 'kube-system' && namespace !== 'default') {
    const is = await kube.isNamespace(namespace)
    if ('failure' in is) return troubleOf(is.failure, { place, what, ...meant })
    if (!is.value)
      return { ...idOf(manifest), act: 'spare', why: `there is no namespace ${namespace}, so nothing runs there` }
  }
  const there = await kube.find(manifest)
  if ('failure' in there) return troubleOf(there.failure, { place, what, ...meant })
  return judged(await kube.apply(manifest, { dryRun: true }), { manifest, there: there.value, place, what, meant })
}

interface Judging {
  manifest: Manifest
  there: Stored | undefined
  place: ClusterAddress
  what: string
  meant: Meant
}

const judged = (applied: Applied, { manifest, there, place, what, meant }: Judging): Act => {
  if ('stored' in applied) return objectFor(manifest, there, applied.stored)
  if ('unknown' in applied)
    return {
      ...idOf(manifest),
      act: 'spare',
      why: 'this API server does not support them (Kubernetes 1.30 and later do); only RBAC restricts the operators',
    }
  if ('heldBy' in applied) {
    const why = `${applied.heldBy.join(', ')} has written it differently and keeps it`
    const next = `${applyCommand(place, meant)}   # if that was kubectl; else change it at its source`
    return { on: 'trouble', act: 'left', what, why, next }
  }
  if (applied.failure.status !== 422) return troubleOf(applied.failure, { place, what, ...meant })
  const why = `the server rejects it because of the existing object: ${applied.failure.message}`
  return { on: 'trouble', act: 'left', what, why, next: `${getCommand(place, manifest)}   # who made that?` }
}

export const objectRemoval = async (
  kube: Manifests,
  manifest: Manifest,
  place: ClusterAddress,
  _meant: Meant,
): Promise<Act | undefined> => {
  const there = await kube.find(manifest)
  if ('failure' in there) return troubleOf(there.failure, { place, what: objectName(idOf(manifest)) })
  return there.value && objectWithout(manifest, there.value)
}

const getCommand = (place: ClusterAddress, { kind, metadata: { name, namespace } }: Manifest): string =>
  [
    kubectlOn(place),
    ...(namespace === undefined ? [] : ['-n', namespace]),
    'get',
    kind.toLowerCase(),
    name,
    '-o yaml --show-managed-fields',
  ].join(' ')
