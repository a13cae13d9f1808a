import { budget, policyWith } from '../../../shared/domain/policy/policy.ts'
import { ours } from '../../../shared/domain/rollout/annotations.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { callEvent } from '../histories/bridge.ts'
import { partyOf } from '../histories/call.ts'
import { clusterOf, nobody, type Watch } from '../histories/cluster.ts'
import { deploymentOf } from '../histories/deployment.ts'
import { fleetOf } from '../histories/fleet.ts'
import { hubOf } from '../histories/hub.ts'
import { places } from '../histories/inputs.ts'
import { queuesOf } from '../histories/queues.ts'
import { beginning, type Stage, stageOf } from '../histories/stage.ts'
import { tableOf } from '../histories/table.ts'
import { topicOf } from '../histories/topic.ts'
import { compared, type Result } from './comparison.ts'

const maxUnavailable = '5%'
const requestsPerStep = 4
const timeAtMost = 1.1
const callMilliseconds = 30
const day = 86_400_000

interface Options {
  nodes: number
  progress: (text: string) => void
}

/** What one rollout took. */
interface Figures {
  /** Virtual milliseconds from the event to the end. */
  milliseconds: number
  /** Of the Kubernetes API, by functions of both kinds. */
  requests: { evaluate: number; step: number }
  evaluations: number
  steps: number
  /** Sent to the queues of evaluations and steps. */
  messages: number
  /** Of FelixConfigurations. */
  writes: number
}

/**
 * The deployment's own workflows in virtual time, on an API server, a table and queues that are models: each call is answered after
 * 30 ms, and what computing takes on this machine, the models' share with it, is added.
 */
export async function rollouts({ nodes, progress }: Options): Promise<Result[]> {
  progress(`a rollout of ${nodes} nodes in virtual time, ${callMilliseconds} ms for each call`)
  // Once: but for computing, each is as the other, and of many nodes it takes minutes.
  const it = await rollout(nodes, 1)
  const name = `rollout of ${nodes.toLocaleString('en')} nodes, ${maxUnavailable} at one time`
  return [
    compared({
      name: `${name}, time`,
      unit: 'ms',
      ours: [it.milliseconds],
      other: [waitsOf(nodes)],
      otherName: 'the waits that it must keep',
      bound: timeAtMost,
    }),
    compared({
      name: `${name}, requests to Kubernetes by rollout-step`,
      unit: 'requests',
      ours: [it.requests.step],
      other: [it.steps],
      otherName: 'one for each step',
      bound: requestsPerStep,
    }),
    compared({
      name: `${name}, requests to Kubernetes by evaluate`,
      unit: 'requests',
      ours: [it.requests.evaluate],
      other: [it.evaluations],
      otherName: 'one for each evaluation',
    }),
    compared({
      name: `${name}, messages`,
      unit: 'messages',
      ours: [it.messages],
      other: [it.writes],
      otherName: 'one for each write of a FelixConfiguration',
    }),
  ]
}

/** The first node settles alone; then as many as may be disturbed at one time settle together. */
const waitsOf = (nodes: number): number => {
  const { canarySeconds, settleSeconds } = policyWith({})
  return (canarySeconds + Math.ceil((nodes - 1) / budget(maxUnavailable, nodes)) * settleSeconds) * 1000
}

const ref = { ...places[0], name: 'vast' }
const names = ['evaluations', 'steps.fifo', 'tellings', 'places'] as const

async function rollout(nodes: number, seed: number): Promise<Figures> {
  const calls = new Map<string, number>()
  const told = (party: string, what: string): void => {
    const key = `${party.split(' ')[0]}: ${what}`
    calls.set(key, (calls.get(key) ?? 0) + 1)
  }
  const model = stageOf(seed, new Set(), { most: Infinity, spent: cpuTime() })
  const stage: Stage = { ...model, calls: { told, ms: callMilliseconds } }
  const ended: { at?: number; writes: number } = { writes: 0 }
  const watch: Watch = {
    ...nobody,
    wrote: ({ writer }) => void (ended.writes += writer.kind === 'function' ? 1 : 0),
    leased: (cluster) => {
      if (cluster.lease?.annotations[`${ours}state`] === 'done') ended.at ??= stage.schedule.now()
    },
  }
  const deployment = deploymentOf(stage, policyWith({ action: 'sync', maxUnavailable }))
  const table = tableOf(stage)
  const queues = queuesOf(
    stage,
    names.map((name) => ({ name, fifo: name.endsWith('.fifo'), visibilitySeconds: 360 })),
  )
  const fleet = fleetOf(stage, watch, { places, deployment, hasOrganization: false })
  const cluster = clusterOf(stage, { ref, generation: 1, nodes, range: { min: 20_000, max: 32_767 } })
  fleet.clusters.set(clusterKey(ref), cluster)
  let functions = 0
  const runs = new Map<string, number>()
  const hub = hubOf(stage, {
    fleet,
    table,
    queues,
    topic: topicOf(stage, []),
    deployment,
    rules: {},
    routes: [],
    start: (name, seconds) => {
      runs.set(name, (runs.get(name) ?? 0) + 1)
      return partyOf(stage, { name: `${name} ${(functions += 1)}`, kind: 'function', seconds, skew: 0 })
    },
  })
  hub.event(callEvent(ref, 'UpdateClusterConfig'), 'the event')
  await stage.schedule.run(beginning + day)
  if (ended.at === undefined) throw new Error(`The rollout did not end: ${stage.story.at(-1)?.what}`)
  const counted = (pattern: RegExp): number =>
    [...calls].reduce((sum, [what, count]) => sum + (pattern.test(what) ? count : 0), 0)
  return {
    milliseconds: ended.at - beginning,
    requests: { evaluate: counted(/^evaluations: Kubernetes/), step: counted(/^steps\.fifo: Kubernetes/) },
    evaluations: runs.get('evaluations') ?? 0,
    steps: runs.get('steps.fifo') ?? 0,
    messages: counted(/: SQS Send.* (?:evaluations|steps\.fifo)$/),
    writes: ended.writes,
  }
}

/** Whole milliseconds of this process's own since it was last asked. */
const cpuTime = (): (() => number) => {
  let told = process.cpuUsage()
  let left = 0
  return () => {
    const spent = process.cpuUsage(told)
    told = process.cpuUsage()
    left += (spent.user + spent.system) / 1000
    const whole = Math.floor(left)
    left -= whole
    return whole
  }
}
