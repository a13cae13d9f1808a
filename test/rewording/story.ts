import { readFileSync } from 'node:fs'
import { assess } from '../../shared/domain/assess/assess.ts'
import { nftablesFacts } from '../../shared/domain/findings/nftables-needs.ts'
import { newsOf, noticeOf } from '../../shared/domain/notice/notice.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy, policyWith } from '../../shared/domain/policy/policy.ts'
import { failed, read } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Evaluation, RolloutStep } from '../../shared/messages.ts'
import { takenTwice } from '../../shared/report/html/pictures/mark-groups.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import * as beginning from '../../shared/workflows/fleet/beginning.ts'
import { handleStep, type HandleStepTools } from '../../shared/workflows/fleet/rollout-message.ts'
import { cluster } from '../domain/ingredients.ts'
import { startRollout, worldOf, type World } from '../workflows/world.ts'

/** What is decided, without a word of what is said about it: as JSON on standard output. */
const nodes = ['node-0001', 'node-0002', 'node-0003']
const policy = policyWith({ action: 'sync', canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60 })

const judged = (given: string) => {
  const state = cluster(given)
  const assessment = assess(state, defaultPolicy)
  const { verdict, findings, nodes: seen } = assessment.report
  const { changes, blockedBy, forecast } = plan(assessment, state, defaultPolicy)
  const report = { ...assessment.report, plan: plan(assessment, state, defaultPolicy) }
  return {
    given,
    verdict,
    nodes: seen.map((it) => [it.name, it.verdict, it.effectiveRange, it.runningMode]),
    findings: findings.map(({ code, severity, subject }) => [code, severity, subject]),
    changes: changes.map(({ action, kind, name }) => [action, kind, name]),
    blockedBy,
    forecast,
    news: newsOf(report),
    notice: noticeOf(report, '', 'sync')?.severity,
    drawn: [takenTwice(report).map(({ bits }) => bits), Object.keys(nftablesFacts(report) ?? {})],
  }
}

const givens = readFileSync(new URL('../../docs/in-step.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Given'))
  .map((line) => line.split('|')[1]?.trim() ?? '')
  .concat('spec 30000-32767')

const looked = (world: World, given: string) => {
  const state = { ...cluster(given), rollout: read(world.lease) }
  return { state, assessment: assess(state, policy) }
}
/** How the cluster is left: who decided and who was told is said in words, all else is not. */
const left = ({ lease, objects, felixRestarts, podRestarts }: World) => {
  const rollout = soundRollout(lease, Infinity)
  return {
    rollout: rollout && [rollout.state, rollout.phase, rollout.target, rollout.canary, rollout.rollback],
    holder: lease?.holder,
    objects: [...objects.values()].map(({ name, spec, annotations }) => [
      name,
      spec,
      annotations['config.projectcalico.org/KubeNodePortRanges'],
    ]),
    felixRestarts,
    podRestarts,
  }
}

const moved = 'eks range 20000-22767'
type Change = (world: World) => unknown
const scenes: Record<string, { given?: string; before?: Change }> = {
  'nothing to do': { given: 'nothing' },
  'out of step': {},
  'blocked by an owner': { given: `${moved}, owner argocd` },
  'blocked by an assumption': { given: 'no eks, annotation 20000:22767' },
  paused: { before: async (world) => begun(world, 'pause') },
  aborting: { before: async (world) => begun(world, 'abort') },
  'another is at it': {
    before: (world) => {
      startRollout(world, { target: '21000:22000' })
      world.lease = { ...world.lease, holder: 'another' } as typeof world.lease
    },
  },
  'a node is lost': { before: (world) => world.broken.add('node-0001') },
  'access is missing': {
    before: (world) => {
      const mayI: typeof world.tools.kube.mayI = async ({ verb }) => read(verb !== 'delete')
      world.tools = { ...world.tools, kube: { ...world.tools.kube, mayI } }
    },
  },
  'pods cannot be listed': {
    before: (world) => {
      const failure = { kind: 'denied', object: 'Pods', message: 'no' } as const
      world.tools = { ...world.tools, kube: { ...world.tools.kube, pods: async () => failed(failure) } }
    },
  },
  'the Lease is nonsense': {
    before: (world) => {
      startRollout(world, { target: '20000:22767' })
      Object.assign(world.lease?.annotations ?? {}, { 'calico-ipvs-sync/state': 'perhaps' })
    },
  },
}

const begun = (world: World, what: 'pause' | 'abort') => {
  startRollout(world, { target: '21000:22000' })
  return control(world.tools.kube, what, { by: 'me', now: () => new Date(world.clock) })
}

const ended = async (act: () => Promise<object | undefined>): Promise<unknown> => {
  try {
    return await act()
  } catch (error) {
    return { threw: error instanceof Error ? error.name : 'something' }
  }
}

const worldFor = async (before: Change = () => undefined): Promise<World> => {
  const world = worldOf(nodes)
  await before(world)
  return world
}

/** As the command line does it. */
const synced = async (name: string) => {
  const { given = moved, before } = scenes[name] ?? {}
  const world = await worldFor(before)
  let looks = 0
  const result = await ended(async () => {
    const tools = {
      ...world.tools,
      // A new process has decided nothing.
      decided: undefined,
      look: async () => {
        looks += 1
        return looked(world, given)
      },
      sleep: async (seconds: number) => void (world.clock += seconds * 1000),
      waiting: () => undefined,
      interrupted: () => world.clock > Date.parse('2026-02-01T13:00:00Z'),
    }
    const { why: _, ...rest } = await sync(tools, policy)
    return rest
  })
  return { name, looks, result, ...left(world) }
}

const ref = { account: '111122223333', region: 'eu-west-1', name: 'prod-1' }
const arn = `arn:aws:eks:${ref.region}:${ref.account}:cluster/${ref.name}`

/** As the queues do it; a look that waits is the next step. */
const stepped = async (name: string) => {
  const { given = moved, before } = scenes[name] ?? {}
  const world = await worldFor(before)
  const sent: object[] = []
  let next: RolloutStep | undefined = { schemaVersion: 1, cluster: ref, begin: true }
  const tools: HandleStepTools = {
    ...world.tools,
    records: { keepActed: async () => undefined },
    beginning: async () => beginning,
    fleet: { own: ref.account, regions: [ref.region], accounts: [{ account: ref.account }] },
    access: {
      describe: async () => read({ state: { status: 'ACTIVE', arn, autoMode: false, tags: {} } }) as never,
      observe: async () => looked(world, given).state,
      kube: () => world.tools.kube,
    },
    queues: {
      sendTelling: async () => undefined,
      sendEvaluations: async () => undefined,
      sendEvaluation: async (message: Evaluation, options) => {
        sent.push({ ...message, cause: message.cause !== undefined, options })
        world.clock += (options?.delaySeconds ?? 0) * 1000
        if (message.reason === 'rollout')
          next = { schemaVersion: 1, cluster: ref, begin: false, ...(message.decided && { decided: message.decided }) }
      },
      sendRolloutStep: async (message) => void (next = message),
    },
    policy,
    log: () => undefined,
  }
  const result = await ended(async () => {
    for (let step = 0; next && step < 150; step += 1) {
      const message = next
      next = undefined
      await handleStep(tools, message, { messageId: String(step) })
    }
    return undefined
  })
  return { name, result, sent, ...left(world) }
}

const names = Object.keys(scenes)
process.stdout.write(
  JSON.stringify({
    judged: givens.map(judged),
    synced: await Promise.all(names.map(synced)),
    stepped: await Promise.all(names.map(stepped)),
  }),
)
