import { readFile } from 'node:fs/promises'
import type * as z from 'zod'
import { jsonBounds } from '../../shared/clients/kube/json-bounds.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { whyUnread } from '../../shared/clients/unread-file.ts'
import { Failure } from '../failure.ts'
import { commandAbout, kindOf, kindText, newFile } from './document-kind.ts'
import { complaint, stateSchema } from './state-schema.ts'

/** Throws a `Failure` that names the file and the error. */
export const readState = async (file: string): Promise<ClusterState> => {
  const document = await readJson(file, 'a state')
  const parsed = stateSchema.safeParse(document)
  // JSON has no `undefined`: a section whose object does not exist is parsed as `{}`, and gets its `value` again.
  if (parsed.success) return withAbsences(parsed.data) as unknown as ClusterState
  const kind = kindOf(document)
  if (kind !== undefined && kind !== 'state')
    throw new Failure(
      `${file} is ${kindText(kind)}, not a captured state.`,
      `${commandAbout(document, `capture ${newFile('state')}`)}   # captures the state of the cluster`,
    )
  throw new Failure(
    `${file} is not a captured state: ${complaint(parsed.error)}`,
    'calico-ipvs-sync capture --help   # it writes such files',
  )
}

export const readJson = async (file: string, what: string): Promise<unknown> => {
  try {
    const content = await readFile(file)
    const unbounded = jsonBounds()(content)
    if (unbounded !== undefined) throw new Error(`it ${unbounded}`)
    return JSON.parse(content.toString('utf8')) as unknown
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : whyUnread(error)
    throw new Failure(`${file} cannot be read as ${what}: ${why}`)
  }
}

const withAbsences = (state: z.infer<typeof stateSchema>): object => {
  const { clusterInformation, installation, rollout, configMaps, eks } = state
  const maps = Object.entries(configMaps).map(([name, it]) => [name, present(it)] as const)
  const restored = { clusterInformation: present(clusterInformation), installation: present(installation) }
  const ofEks = eks && 'value' in eks ? { eks: { value: withAddon(eks.value as Record<string, unknown>) } } : {}
  return { ...state, ...restored, ...ofEks, rollout: present(rollout), configMaps: Object.fromEntries(maps) }
}

const withAddon = (eks: Record<string, unknown>): object => ({ ...eks, kubeProxyAddon: present(eks['kubeProxyAddon']) })

const present = (it: unknown): unknown =>
  typeof it === 'object' && it !== null && !('failure' in it) && !('value' in it) ? { value: undefined } : it
