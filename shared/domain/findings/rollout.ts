import type { ClusterFacts } from '../facts/facts.ts'
import type { ClusterCheck } from './checks.ts'
import { isReachedByDefault } from './range-layers.ts'
import { wasRemoved } from '../facts/applicability.ts'
import { type HaltEvidence, isWellNow, restoresDefault } from '../rollout/halt-evidence.ts'
import { haltDetails, leftToUndo } from '../rollout/halt-finding.ts'
import { parsePortList, sameRanges } from '../ports.ts'
import type { Finding } from '../report.ts'
import { valueOf } from '../read.ts'
import { changedAtKey, changeKey, lease, ours, overrideKey } from '../rollout/annotations.ts'
import { isMarked, isOurs } from '../rollout/marks.ts'
import { unfinishedHalt } from '../rollout/progress.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { objectName } from '../felix/layer.ts'
import { felixResource, inAccount, kubectl, onCluster, onFelix } from './remedy.ts'
import { quoted } from '../shell.ts'

const field = (key: string): string => `metadata.annotations[${ours}${key}]`

/** The Lease or marks have invalid content. It is reported and has no effect on the rollout. */
export const rolloutStateInvalid: ClusterCheck = (cluster) => [...leaseInvalid(cluster), ...marksOfOthers(cluster)]

const leaseInvalid: ClusterCheck = (cluster) => {
  const { lease: parsed } = cluster
  if (parsed.is !== 'invalid') return []
  const { name, namespace } = lease
  const inNamespace = `${kubectl(cluster)} -n ${namespace}`
  return [
    {
      code: 'ROLLOUT_STATE_INVALID',
      severity: 'warning',
      subject: leaseObject,
      message: `The Lease ${namespace}/${name} cannot be parsed: ${parsed.why}. This tool did not write it. Nothing is changed in this cluster while it exists.`,
      evidence: [{ object: leaseObject, value: parsed.why }],
      remedy: `Look at it: ${inNamespace} get lease ${name} -o yaml\nDelete it: ${inNamespace} delete lease ${name}\nThen: ${onCluster(cluster, 'sync')}`,
    },
  ]
}

const shownMarks = 10

const marksOfOthers: ClusterCheck = (cluster) => {
  const found = [...cluster.felixObjects.values()].filter((object) => isMarked(object) && !isOurs(object))
  const [first] = found
  if (!first) return []
  const names = found.slice(0, shownMarks).map(({ name }) => name)
  const isOne = found.length === 1
  return [
    {
      code: 'ROLLOUT_STATE_INVALID',
      severity: 'warning',
      subject: isOne ? objectName(first.name) : 'cluster',
      message: `${isOne ? `${objectName(first.name)} says` : `${found.length} FelixConfigurations say`} that this tool made ${isOne ? 'it' : 'them'}, but ${isOne ? 'it is' : 'they are'} not as this tool wrote ${isOne ? 'it' : 'them'}: somebody copied, restored or changed ${isOne ? 'it' : 'them'}. This tool does not touch ${isOne ? 'it' : 'them'}.`,
      evidence: names.map((name) => ({ object: objectName(name), field: `metadata.annotations[${overrideKey}]` })),
      remedy: [
        `Look at it: ${kubectl(cluster)} get ${onFelix(cluster, ...names)} -o yaml`,
        `To keep it, remove the marks: ${kubectl(cluster)} annotate ${onFelix(cluster, ...names)} ${[overrideKey, changedAtKey, changeKey].map((key) => `${key}-`).join(' ')}`,
      ].join('\n'),
    },
  ]
}

const leaseObject = `Lease/${lease.namespace}/${lease.name}`

/** The rollout halted or was paused: it must be reported, because only a person can resume it. */
export const rolloutHalted: ClusterCheck = (cluster) => {
  const { rollout } = cluster
  if (rollout?.state === 'paused') return [paused(cluster)]
  if (rollout?.state !== 'halted') return []
  const { reason, evidence, reverted } = rollout
  const rollback = leftToUndo(rollout, cluster.state)
  const isWell = !evidence || isWellNow(evidence, valueOf(cluster.state.pods) ?? [])
  const how = wasRemoved(cluster.state) ? 'when calico-node, which was removed, is there again' : undefined
  const pending = rollback && `Not all is undone yet: ${unfinishedHalt(rollback, evidence, how)}.`
  const details = haltDetails(evidence, {
    pods: valueOf(cluster.state.pods) ?? [],
    object: leaseObject,
    field: field('evidence'),
  })
  const account = inAccount(cluster.state).trim()
  const where = account === '' ? '' : `${account}: `
  return [
    standsStill('halted', {
      // That the rest is undone is news again.
      ...(rollback && { severity: 'critical' }),
      message: `A rollout halted: ${reason ?? 'the reason was not recorded'}.${details.text} ${pending ?? untilDecided}`,
      evidence: [
        ...(reason === undefined ? [] : [{ object: leaseObject, field: field('reason'), value: reason }]),
        ...details.evidence,
      ],
      remedy: [
        `${onCluster(cluster, 'rollout status')}   # look first${inAccount(cluster.state)}: this changes nothing`,
        ...(evidence ? onNode(cluster, evidence, isWell) : []),
        // The notice puts other causes between the paragraphs.
        '',
        ...(rollback
          ? how === undefined
            ? ['Then, to undo the rest now:', onCluster(cluster, 'sync')]
            : [toEnd(cluster, evidence)]
          : [
              `Then decide, which can wait${isWell ? '' : ' until it is Ready'}. Either, when the cause is fixed:`,
              `${onCluster(cluster, 'rollout resume')}   # ${where}${refusedUntil(cluster, isWell, reverted)}`,
              'Or, to give up:',
              `${onCluster(cluster, 'rollout abort')}   # ${where}${consequence(cluster)}`,
            ]),
      ].join('\n'),
    }),
  ]
}

/** `evidence`: beside the state in the Lease. */
const standsStill = (
  state: Rollout['state'],
  { evidence = [], ...about }: Pick<Finding, 'message' | 'remedy'> & Partial<Pick<Finding, 'severity' | 'evidence'>>,
): Finding => ({
  code: 'ROLLOUT_HALTED',
  severity: 'warning',
  subject: leaseObject,
  evidence: [{ object: leaseObject, field: field('state'), value: state }, ...evidence],
  ...about,
})

const untilDecided = 'Nothing more is changed in this cluster until a person resumes or aborts it.'

/** Why the node failed, and how to spare users while it is not well. */
const onNode = (cluster: ClusterFacts, { node, pod, wrote, at }: HaltEvidence, isWell: boolean): string[] => {
  const name = pod && quoted(`pod/${pod.name}`)
  const inNamespace = pod && `${kubectl(cluster)} -n ${quoted(pod.namespace)}`
  return [
    ...(pod
      ? [
          `${inNamespace} describe ${name}   # why the node failed`,
          `${inNamespace} logs ${name} -c calico-node --since-time=${quoted(wrote?.at ?? at)}`,
        ]
      : []),
    ...(isWell
      ? []
      : [
          'If it is still not Ready, keep new pods away and repair it; resume and abort do neither:',
          `${kubectl(cluster)} cordon ${quoted(node)}   # undone by: uncordon`,
        ]),
  ]
}

/** What `resume` does, and until when it refuses. */
const refusedUntil = ({ state }: ClusterFacts, isWell: boolean, reverted: Rollout['reverted']): string => {
  if (isToday(reverted, state)) return 'refused until midnight UTC; then writes the value there again'
  return `${isWell ? '' : 'refused until then; '}changes the node again, then any other nodes of this cluster; fails again if the cause is still there`
}

/** A deployment then waits: `restSeconds` in `domain/rollout/rest.ts`. */
const consequence = ({ felixObjects }: ClusterFacts): string => {
  const undoes = [...felixObjects.values()].some(isOurs)
    ? 'gives each well node with the new range its former one, which restarts Felix there, one by one'
    : 'only ends the rollout'
  return `${undoes}; a deployment on AWS begins it again after 24 h, unless tagged calico-ipvs-sync=report`
}

const paused = (cluster: ClusterFacts): Finding =>
  standsStill('paused', {
    message: 'A rollout is paused. Nothing more is touched until a person resumes or aborts it.',
    remedy: `${onCluster(cluster, 'rollout log')}   # who paused it\nThen: ${onCluster(cluster, 'rollout resume')}\nOr: ${onCluster(cluster, 'rollout abort')}`,
  })

/** An abort needs nothing but the overrides, but does not begin before `default` has its former value. */
const toEnd = (cluster: ClusterFacts, evidence?: HaltEvidence): string =>
  `To end it: ${restoresDefault(evidence) ? `${kubectl(cluster)} -n ${lease.namespace} delete lease ${lease.name}` : onCluster(cluster, 'rollout abort')}`

/** calico-node was removed in the middle of it. An abort ends by itself. */
export const rolloutStranded: ClusterCheck = (cluster) => {
  if (cluster.rollout?.state !== 'running' || !wasRemoved(cluster.state)) return []
  return [
    standsStill('running', {
      message:
        'A rollout is running, and calico-node was removed from the cluster. It goes on when calico-node is there again.',
      remedy: toEnd(cluster),
    }),
  ]
}

const isToday = (
  reverted: Rollout['reverted'],
  { observedAt }: ClusterFacts['state'],
): reverted is NonNullable<Rollout['reverted']> => reverted?.at.slice(0, 10) === observedAt.slice(0, 10)

/** Reverted during the rollout. */
const takenBackToday: ClusterCheck = (cluster) => {
  const { reverted, target, state, finishedAt } = cluster.rollout ?? {}
  if (!isToday(reverted, cluster.state)) return []
  const { object, at, by } = reverted
  const who = by ?? 'somebody'
  const name = object.slice(object.indexOf('/') + 1)
  // Only a halted rollout can be resumed; after an abort another one begins.
  const later =
    state === 'halted'
      ? `Then, from midnight UTC on: ${onCluster(cluster, 'rollout resume')}\nOr today, one node at a time: ${onCluster(cluster, 'rollout resume --force')}`
      : `Then, from midnight UTC on: ${onCluster(cluster, 'sync')}`
  return [
    {
      code: 'FLAPPING',
      severity: 'warning',
      subject: object,
      message:
        at === finishedAt
          ? `${who} restored ${object} after this tool had removed it (seen ${at}). It is not removed a second time today.`
          : `The range ${target ?? '(none)'} was written to ${object} today and reverted by ${who} before the rollout was over (seen ${at}). It is not written there a second time today.`,
      evidence: [{ object: leaseObject, field: field('taken-back'), value: by ?? 'not known by whom', at }],
      remedy: `Find the writer: ${kubectl(cluster)} get ${onFelix(cluster, name)} -o yaml --show-managed-fields\nIf it was deleted, the audit log shows by whom. Stop that writer, or exclude this cluster.\n${later}`,
    },
  ]
}

/** Somebody reverted our value: it is not written a second time the same day. */
export const flapping: ClusterCheck = (cluster) => {
  const interrupted = takenBackToday(cluster)
  if (interrupted.length > 0) return interrupted
  const { state: ended, target, finishedAt: finished } = cluster.rollout ?? {}
  const { desired, state, nodes } = cluster
  if (ended !== 'done' || target === undefined || finished === undefined || !desired) return []
  const wrote = parsePortList(target)
  const sameDay = finished.slice(0, 10) === state.observedAt.slice(0, 10)
  if (!sameDay || !wrote.ok || !sameRanges(wrote.ranges, desired)) return []
  const reverted = nodes.find((it) => it.rangeDiffers && isReachedByDefault(it, cluster))
  if (!reverted) return []
  const now = reverted.rangeLayer?.raw ?? 'nothing'
  return [
    {
      code: 'FLAPPING',
      severity: 'warning',
      subject: 'FelixConfiguration/default',
      message: `The range ${target} was written today and reverted since: FelixConfiguration/default now says ${now}. It is not written a second time today.`,
      evidence: [
        { object: leaseObject, field: field('target'), value: target, at: finished },
        { object: 'FelixConfiguration/default', value: now },
      ],
      remedy: `Find the writer: ${kubectl(cluster)} get ${felixResource(cluster)} default -o yaml --show-managed-fields\nChange the range there.`,
    },
  ]
}
