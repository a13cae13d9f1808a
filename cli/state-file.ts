import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { ClusterState } from '../shared/domain/cluster.ts'
import { Failure } from './failure.ts'

const failure = z.object({ kind: z.string(), object: z.string(), message: z.string() })
/** A section that was read (its value may be left out where it is "not there") or could not be. */
const section = <T extends z.ZodType>(value: T) => z.union([z.object({ failure }), z.object({ value })])
const list = z.array(z.looseObject({}))
const optional = z.looseObject({}).optional()

/** The outline of a captured state; what is inside its sections is what this tool itself wrote there. */
const outline = z.looseObject({
  schemaVersion: z.literal(1),
  cluster: z.looseObject({ name: z.string() }),
  observedAt: z.iso.datetime({ offset: true }),
  kubernetesVersion: section(z.string()),
  nodes: section(list),
  daemonSets: section(list),
  pods: section(list),
  configMaps: z.record(z.string(), section(optional)),
  felix: section(z.looseObject({ api: z.string(), objects: list })),
  clusterInformation: section(optional),
  installation: section(optional),
  nodePorts: section(list),
  logs: z.record(z.string(), section(z.looseObject({}))),
  rollout: section(optional),
  eks: section(z.looseObject({})).optional(),
})

/** Throws a `Failure` that names the file and what is wrong with it. */
export const readState = async (file: string): Promise<ClusterState> => {
  const parsed = outline.safeParse(await readJson(file, 'a state'))
  // JSON has no `undefined`: a section whose object does not exist comes back as `{}`, and is given its `value` again.
  if (parsed.success) return withAbsences(parsed.data) as unknown as ClusterState
  const [issue] = parsed.error.issues
  throw new Failure(
    `${file} is not a captured state: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not readable'}`,
    `calico-ipvs-sync capture --context NAME > ${file}`,
  )
}

export const readJson = async (file: string, what: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : error instanceof Error ? error.message : String(error)
    throw new Failure(`${file} cannot be read as ${what}: ${why}`)
  }
}

const withAbsences = (state: z.infer<typeof outline>): object => {
  const { clusterInformation, installation, rollout, configMaps, eks } = state
  const maps = Object.entries(configMaps).map(([name, it]) => [name, present(it)] as const)
  const restored = { clusterInformation: present(clusterInformation), installation: present(installation) }
  const ofEks = eks && 'value' in eks ? { eks: { value: withAddon(eks.value) } } : {}
  return { ...state, ...restored, ...ofEks, rollout: present(rollout), configMaps: Object.fromEntries(maps) }
}

const withAddon = (eks: Record<string, unknown>): object => ({ ...eks, kubeProxyAddon: present(eks['kubeProxyAddon']) })

const present = (it: unknown): unknown =>
  typeof it === 'object' && it !== null && !('failure' in it) && !('value' in it) ? { value: undefined } : it
