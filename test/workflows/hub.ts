import type { Incident } from '../../shared/clients/aws/incidents.ts'
import type { StoredReport, StoredSwitch } from '../../shared/clients/aws/records.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import { type Policy, policyWith } from '../../shared/domain/policy/policy.ts'
import { read } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import type { JournalEntry } from '../../shared/domain/rollout/journal.ts'
import { rolloutAnnotations, type Rollout } from '../../shared/domain/rollout/rollout.ts'
import type { Evaluation, RolloutStep } from '../../shared/messages.ts'
import { evaluate } from '../../shared/workflows/fleet/evaluate.ts'
import { sendNotice } from '../../shared/workflows/fleet/tell-send.ts'
import type { EvaluateTools } from '../../shared/workflows/fleet/tools.ts'
import * as looking from '../../shared/workflows/fleet/looking.ts'
import { cluster as clusterWith } from '../domain/ingredients.ts'
import { where } from './world.ts'

export const ref = { account: '111122223333', region: 'eu-central-1', name: 'blue' }
export const out = 'eks range 30000-34000'
export const stateOf = (given: string, over: Partial<ClusterState> = {}): ClusterState => ({
  ...clusterWith(given),
  cluster: ref,
  ...over,
})

/** What a deployment would remember and send, in memory. */
export const hub = (policy: Partial<Policy> = {}, more: Partial<EvaluateTools> = {}) => {
  const it = {
    clock: Date.parse('2026-11-20T10:00:00Z'),
    state: stateOf(out),
    report: undefined as StoredReport | undefined,
    seen: [] as Report['verdict'][],
    begun: undefined as string | undefined,
    notices: [] as OutgoingNotice[],
    steps: [] as RolloutStep[],
    looks: [] as { message: Evaluation; delaySeconds: number }[],
    log: [] as { event: string; facts: object; level?: string | undefined }[],
    claims: new Set<string>(),
    written: [] as JournalEntry[],
    incidents: new Map<string, Incident>(),
    kept: new Map<string, OutgoingNotice>(),
    switches: new Map<string, StoredSwitch>(),
  }
  const notices = { publish: async (notice: OutgoingNotice) => void it.notices.push(notice) }
  const tools: EvaluateTools = {
    fleet: { own: ref.account, regions: [ref.region], accounts: [{ account: ref.account }] },
    describe: async () => read({ state: eksState } as never),
    observe: async () => it.state,
    looking: async () => looking,
    records: {
      lastReport: async () => it.report,
      putReport: async (_, report) => {
        it.report = report
        return true
      },
      putBegun: async (_, last, begun) => void (it.report = { ...last, begun }),
      keepVerdict: async (_, { verdict }) => void it.seen.push(verdict),
      reserve: async ({ hash }) => {
        if (it.claims.has(hash)) return 'told'
        it.claims.add(hash)
        return 'reserved'
      },
      lastSwitch: async (key) => it.switches.get(key),
      putSwitch: async (key, stored) => void it.switches.set(key, stored),
      confirm: async () => undefined,
      release: async ({ hash }) => void it.claims.delete(hash),
      keepNotice: async ({ hash }, content) => void (it.kept.has(hash) || it.kept.set(hash, content)),
      keptNotice: async ({ hash }) => it.kept.get(hash),
      incident: async (key) => it.incidents.get(key),
      putIncident: async (key, incident) => void it.incidents.set(key, incident),
      keepClaims: async (_, writes) => it.written.push(...writes),
      lookBegins: async (_, messageId) => {
        const broke = it.begun === messageId
        it.begun = messageId
        return broke
      },
      lookEnded: async () => void (it.begun = undefined),
      beginLook: async () => true,
      beginSweepLook: async () => true,
      endReport: async () => void (it.report = undefined),
    },
    queues: {
      sendEvaluation: async (message, { delaySeconds = 0 } = {}) => void it.looks.push({ message, delaySeconds }),
      sendTelling: async (message) => sendNotice({ ...tools, notices }, message),
      sendEvaluations: async () => undefined,
      sendRolloutStep: async (message) => void it.steps.push(message),
    },
    policy: policyWith({ action: 'sync', ...policy }),
    now: () => new Date(it.clock),
    log: (event, facts, level) => void it.log.push({ event, facts, level }),
    ...more,
  }
  const look = (reason: Evaluation['reason'] = 'event', about: Partial<Evaluation> = {}, receives = 1) =>
    evaluate(tools, { schemaVersion: 1, cluster: ref, reason, ...about }, { messageId: 'id', receives })
  return Object.assign(it, { look, tools })
}

export const eksState = {
  arn: `arn:aws:eks:${ref.region}:${ref.account}:cluster/${ref.name}`,
  tags: {},
  status: 'ACTIVE',
}

export const withPace = {
  strategy: 'staged',
  maxUnavailable: 1,
  canarySeconds: 30,
  settleSeconds: 10,
  nodeDeadlineSeconds: 300,
} as const

/** A cluster whose Lease holds this rollout. */
export const withRollout = (over: Partial<Rollout>): Partial<ClusterState> => {
  const rollout: Rollout = {
    id: 'r1',
    state: 'running',
    phase: 'range',
    target: '30000:34000',
    pace: withPace,
    where,
    skip: [],
    defaulted: [],
    restart: [],
    touching: [],
    startedAt: '2026-11-20T09:59:00Z',
    ...over,
  }
  const annotations = Object.fromEntries(
    Object.entries(rolloutAnnotations(rollout)).filter((entry): entry is [string, string] => entry[1] !== null),
  )
  return { rollout: read({ resourceVersion: '1', annotations }) }
}
