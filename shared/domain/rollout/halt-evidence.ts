import type { NodeState, PodState } from '../cluster.ts'
import { counted } from '../counted.ts'
import { shortened, plain, plainAll, plainLines } from '../plain.ts'
import { milliseconds } from '../rfc3339.ts'
import { present } from './present.ts'

/**
 * Evidence about the node that did not become Ready, stored in the Lease, where people can read it with kubectl.
 * Limited in size and without secrets: only the last lines of the log, without text that looks like a credential.
 */
export interface HaltEvidence {
  node: string
  /** Why the node counts as lost. */
  reason: string
  /** RFC 3339: when that was seen. */
  at: string
  pod?: {
    namespace: string
    name: string
    ready: boolean
    readySince?: string
    /** `CrashLoopBackOff` and the like. */
    waiting?: string
    restarts: number
  }
  /** Our last write that reached the node. */
  wrote?: { object: string; value?: string; at?: string }
  kubelet?: 'Ready' | 'not Ready' | 'gone' | 'unknown'
  log?: string[]
  /** Other nodes that were touched and not well at that time. Our overrides on them are removed as well. */
  beside?: string[]
  /**
   * The log of the node must still be read before the rollout halts. Afterwards, with `take-back` our override is
   * removed, with `restore` `default` gets its former value back.
   */
  pending?: 'halt' | 'take-back' | 'restore'
  /** When our override on the node was removed, or `default` got its former value back. */
  takenBackAt?: string
}

/** Lines of calico-node's log that are kept, and characters of each: a Lease is small. */
export const logKept = { lines: 12, characters: 240 }

export const podEvidence = (pod: PodState): NonNullable<HaltEvidence['pod']> => {
  const { namespace, name, ready, readySince, waiting, restartCount: restarts } = pod
  return { namespace, name, ready, restarts, ...present({ readySince, waiting }) }
}

export const kubeletOf = (nodes: NodeState[] | undefined, name: string): NonNullable<HaltEvidence['kubelet']> => {
  if (!nodes) return 'unknown'
  const node = nodes.find((it) => it.name === name)
  return node ? (node.ready ? 'Ready' : 'not Ready') : 'gone'
}

/** The stack trace of a Go panic; the reason of the panic is in the lines before it. */
const place = /^\s+\S+\.go:\d+( \+0x[\da-f]+)?\s*$/
const stack = [place, /^goroutine \d+ \[.*\]:\s*$/, /^panic: \(\*logrus\.Entry\) /]

/** The last lines of a log that may be kept and shown, without stack traces and secrets. */
export const logEvidence = (lines: readonly string[]): string[] =>
  plainLines(lines.filter((line, index) => !isStack(line) && !place.test(lines[index + 1] ?? '')).join('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-logKept.lines)
    .map((line) => (line.length > logKept.characters ? `${line.slice(0, logKept.characters - 1)}…` : line))

const isStack = (line: string): boolean => stack.some((it) => it.test(line))

/** Nodes beside the first that are kept: more would not be read again, and the halt would be decided at each step anew. */
export const besideKept = 100

/** Indented, so that kubectl shows a block of lines. Names stay as they are, also where one looks like a secret: the node is found by it. */
export const storedEvidence = ({ node, pod, beside, ...told }: HaltEvidence): string =>
  JSON.stringify({ node, ...plainAll(told), pod, beside: beside?.slice(0, besideKept) }, null, 1)

/**
 * Reads only the fields that this tool writes, as foreign text, because they may be forged and appear in subjects and
 * notices.
 */
const text = (it: unknown, characters = 300): string | undefined =>
  typeof it === 'string' ? plain(shortened(it, characters)) : undefined
/** Of a node, a pod or a namespace, as the API server takes it. */
const name = (it: unknown): string | undefined =>
  typeof it === 'string' && /^[a-z\d]([-.a-z\d]{0,251}[a-z\d])?$/.test(it) ? it : undefined
const list = (it: unknown, most: number, parse: typeof name): string[] | undefined =>
  Array.isArray(it) ? it.slice(0, most).flatMap((one) => parse(one) ?? []) : undefined
const logLine = (it: unknown): string | undefined => text(it, logKept.characters)
const moment = (it: unknown): string | undefined =>
  typeof it === 'string' && !Number.isNaN(milliseconds(it)) ? it : undefined

/** `undefined`: there is none, or it cannot be parsed. */
export const parseEvidence = (given: string | undefined): HaltEvidence | undefined => {
  try {
    return given === undefined || given.length > 64_000 ? undefined : evidenceIn(JSON.parse(given))
  } catch {
    return undefined
  }
}

type Loose<T> = { [K in keyof T]?: unknown }

const evidenceIn = (it: Loose<HaltEvidence> | null): HaltEvidence | undefined => {
  const [node, reason, at] = [name(it?.node), text(it?.reason, 2_000), moment(it?.at)]
  if (!it || node === undefined || reason === undefined || at === undefined) return undefined
  return {
    node,
    reason,
    at,
    ...present({
      pod: podIn(it.pod),
      wrote: wroteIn(it.wrote),
      kubelet: (['Ready', 'not Ready', 'gone', 'unknown'] as const).find((word) => word === it.kubelet),
      log: list(it.log, logKept.lines, logLine),
      beside: list(it.beside, besideKept, name),
      pending: (['halt', 'take-back', 'restore'] as const).find((word) => word === it.pending),
      takenBackAt: moment(it.takenBackAt),
    }),
  }
}

const podIn = (given: unknown): HaltEvidence['pod'] => {
  const it = (given ?? {}) as Loose<NonNullable<HaltEvidence['pod']>>
  const [namespace, podName] = [name(it.namespace), name(it.name)]
  if (namespace === undefined || podName === undefined) return undefined
  return {
    namespace,
    name: podName,
    ready: it.ready === true,
    restarts: typeof it.restarts === 'number' ? it.restarts : 0,
    ...present({ readySince: moment(it.readySince), waiting: text(it.waiting) }),
  }
}

const wroteIn = (given: unknown): HaltEvidence['wrote'] => {
  const it = (given ?? {}) as Loose<NonNullable<HaltEvidence['wrote']>>
  const object = text(it.object)
  return object === undefined ? undefined : { object, ...present({ value: text(it.value, 4_096), at: moment(it.at) }) }
}

/** The last write that reached the node was that to `default`. */
export const restoresDefault = (evidence: { wrote?: HaltEvidence['wrote'] | undefined } | undefined): boolean =>
  evidence?.wrote?.object === 'FelixConfiguration/default'

/** The node, and those beside it. */
export const lostNodes = ({ node, beside = [] }: Pick<HaltEvidence, 'node' | 'beside'>): string[] => [node, ...beside]

/** The evidence as text, one fact for each line: for notices, findings and `rollout status`. */
export const evidenceLines = ({
  node,
  pod,
  wrote,
  kubelet,
  beside = [],
  log = [],
  takenBackAt,
}: HaltEvidence): string[] => [
  ...(wrote
    ? [
        `${wrote.object.startsWith('Pod/') ? 'deleted, to restart it' : 'written'}: ${wrote.object}${wrote.value === undefined ? '' : ` = ${wrote.value}`}${at(wrote.at)}`,
      ]
    : []),
  ...(pod ? [`pod ${pod.name}: ${podText(pod)}`] : [`node ${node} has no calico-node pod`]),
  ...(kubelet ? [`node ${node}: ${kubelet}`] : []),
  ...(beside.length > 0
    ? [`not well either: ${beside.join(', ')}${beside.length < besideKept ? '' : ', and perhaps more'}`]
    : []),
  ...log.map((line) => `log: ${line}`),
  ...(takenBackAt
    ? [`${restoresDefault({ wrote }) ? 'former value of default restored' : 'override removed'}${at(takenBackAt)}`]
    : []),
]

const at = (time: string | undefined): string => (time === undefined ? '' : ` at ${time}`)

const podText = ({ ready, readySince, waiting, restarts }: NonNullable<HaltEvidence['pod']>): string =>
  [
    `was ${ready ? 'Ready' : 'not Ready'}${readySince === undefined ? '' : ` since ${readySince}`}`,
    ...(waiting === undefined ? [] : [waiting]),
    counted(restarts, 'restart'),
  ].join(', ')

/** Whether the node became Ready after its override was removed, according to calico-node's pods now. */
export const cameBack = (evidence: HaltEvidence, pods: PodState[]): 'yes' | 'no' | undefined =>
  evidence.takenBackAt === undefined ? undefined : isWellNow(evidence, pods) ? 'yes' : 'no'

export const isWellNow = ({ node }: Pick<HaltEvidence, 'node'>, pods: PodState[]): boolean =>
  pods.some((pod) => pod.role === 'calico-node' && pod.node === node && pod.ready && !pod.deletedAt)
