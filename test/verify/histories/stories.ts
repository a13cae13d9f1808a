import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import { ours, rangeAnnotation } from '../../../shared/domain/rollout/annotations.ts'
import type { Control } from '../../../shared/workflows/rollout/control.ts'
import { KubeError } from '../../../shared/errors.ts'

/** What somebody else does to the cluster. */
export interface Hands {
  /** Into an object, which is created where there is none. `null` removes a key. */
  merge: (name: string, annotations: Record<string, string | null>, spec?: object) => Promise<void>
  remove: (name: string) => Promise<void>
  removeLease: () => Promise<void>
  say: (what: Control) => Promise<void>
}

/** `sync` on a cluster whose nodes have an old range, and what happens `before` and `after` its writes, by their number. */
export interface Story {
  before?: Record<number, (hands: Hands, nodes: readonly string[]) => Promise<void>>
  after?: Record<number, (hands: Hands, nodes: readonly string[]) => Promise<void>>
}

const theirs = '31000:32000'
const first = (nodes: readonly string[]): string => `node.${nodes[0]}`
const last = (nodes: readonly string[]): string => `node.${nodes.at(-1)}`

export const stories: Record<string, Story> = {
  'nobody disturbs it': {},
  'an override is deleted': { after: { 1: (hands, nodes) => hands.remove(first(nodes)) } },
  'an override is changed': {
    after: { 1: (hands, nodes) => hands.merge(first(nodes), { [rangeAnnotation]: theirs }) },
  },
  'a node gets a range of its own': {
    after: { 1: (hands, nodes) => hands.merge(last(nodes), { [rangeAnnotation]: theirs }) },
  },
  'a node gets a field of its own': {
    after: { 1: (hands, nodes) => hands.merge(last(nodes), {}, { kubeNodePortRanges: [theirs] }) },
  },
  'default is changed while it is written': { before: { 4: (hands) => hands.merge('default', { team: 'platform' }) } },
  'default is deleted while it is written': { before: { 4: (hands) => hands.remove('default') } },
  'an override is made while it is written': {
    before: { 2: (hands, nodes) => hands.merge(`node.${nodes[1]}`, { team: 'platform' }) },
  },
  'an override is deleted while it is removed': { before: { 5: (hands, nodes) => hands.remove(first(nodes)) } },
  'an override is changed while it is removed': {
    before: { 5: (hands, nodes) => hands.merge(first(nodes), { team: 'platform' }) },
  },
  'the Lease is deleted while an override is written': { before: { 2: (hands) => hands.removeLease() } },
  'it is paused': { after: { 2: (hands) => hands.say('pause') } },
  'it is aborted': { after: { 2: (hands) => hands.say('abort') } },
}

/** The names of the nodes may differ, their order does not. */
export const nodesIn = (text: string, nodes: readonly string[]): string =>
  nodes.reduce((told, node, index) => told.replaceAll(node, `n${index}`), text)

/** What the story is, as both clusters show it: each write of ours, and what came of it. */
export const telling = (
  kube: KubeClient,
  { story, hands, nodes }: { story: Story; hands: Hands; nodes: readonly string[] },
): { kube: KubeClient; lines: string[] } => {
  const lines: string[] = []
  let count = 0
  /** How often the Lease is renewed is a matter of the clock. */
  const note = (text: string): void => {
    const line = nodesIn(text, nodes)
    if (line !== lines.at(-1)) lines.push(line)
  }
  const tell = async <T>(what: string, write: () => Promise<T>, result: (it: T) => string): Promise<T> => {
    try {
      const answer = await write()
      note(`${what}: ${result(answer)}`)
      return answer
    } catch (error) {
      note(`${what}: ${error instanceof KubeError ? `${error.kind} ${error.status}` : String(error)}`)
      throw error
    }
  }
  const counted = async <T>(what: string, write: () => Promise<T>, result: (it: T) => string): Promise<T> => {
    count += 1
    const now = count
    await story.before?.[now]?.(hands, nodes)
    const answer = await tell(what, write, result)
    await story.after?.[now]?.(hands, nodes)
    return answer
  }
  const shown = ({ annotations, spec }: { annotations: Record<string, string>; spec: Record<string, unknown> }) =>
    JSON.stringify([annotations[rangeAnnotation], annotations['team'], spec['kubeNodePortRanges']])
  const told: KubeClient = {
    ...kube,
    createFelix: (api, draft, options) => {
      const write = () => kube.createFelix(api, draft, options)
      return options?.dryRun ? write() : counted(`creates ${draft.name}`, write, shown)
    },
    patchFelix: (api, patch, options) => {
      const write = () => kube.patchFelix(api, patch, options)
      return options?.dryRun ? write() : counted(`patches ${patch.name}`, write, shown)
    },
    deleteFelix: (api, object) => counted(`deletes ${object.name}`, () => kube.deleteFelix(api, object), String),
    putLease: (change) =>
      tell(
        'writes the Lease',
        () => kube.putLease(change),
        ({ holder, annotations }) => `${annotations[`${ours}state`]} by ${holder ?? 'nobody'}`,
      ),
  }
  return { kube: told, lines }
}
