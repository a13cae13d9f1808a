import { describe, expect, test } from '@jest/globals'
import { isLastTry } from '../../shared/dead-letters.ts'
import type { Permit } from '../../shared/domain/policy/fleet-budget.ts'
import { type Action, type Policy, policyWith } from '../../shared/domain/policy/policy.ts'
import { failed, read, type Read, type ReadFailure } from '../../shared/domain/read.ts'
import { KubeError, PermanentError } from '../../shared/errors.ts'
import type { Evaluation, RolloutStep } from '../../shared/messages.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import * as beginning from '../../shared/workflows/fleet/beginning.ts'
import { handleStep, type HandleStepTools } from '../../shared/workflows/fleet/rollout-message.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { healthy } from '../domain/states.ts'
import { quickPace, ranges, startRollout, type World, worldOf } from './world.ts'

const target = '20000:32767'
const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod-1' }
const permit: Permit = { token: 1, until: '2026-02-01T12:30:00.000Z' }

interface Setting {
  /** `undefined`: all is well. */
  trouble?: () => string | undefined
  needsPermit?: boolean
  windows?: { from: string; to: string; timezone: string }[]
  policy?: Partial<Policy>
  tags?: () => Record<string, string>
  /** The default: released. */
  brake?: () => Action
  /** What EKS says otherwise; `null`: there is no such cluster. */
  eks?: object | null
  fleet?: HandleStepTools['fleet']
  /** In place of all that EKS says. */
  answer?: Read<never>
  observe?: () => Promise<never>
  /** The default: once. */
  receives?: number
  /** Hears of each evaluation that is not one of a waiting rollout. */
  hear?: (message: Evaluation, delaySeconds: number) => Promise<void>
}

/** One step after the other as the queues would, with a clock that jumps to what was waited for. */
const run = async (
  world: World,
  {
    trouble,
    needsPermit = false,
    windows = [],
    policy = {},
    tags = () => ({}),
    brake = () => 'sync',
    eks: more = {},
    fleet = { own: cluster.account, regions: [cluster.region], accounts: [{ account: cluster.account }] },
    answer,
    observe = () => Promise.reject(new Error('nothing begins here')),
    receives = 1,
    hear = () => Promise.resolve(),
  }: Setting,
  first: RolloutStep,
  steps = 60,
) => {
  const waits: number[] = []
  const asked: RolloutStep['cluster'][] = []
  const told: Evaluation[] = []
  const looked: Evaluation[] = []
  let next: RolloutStep | undefined = { ...first, ...(world.tools.decided && { decided: world.tools.decided }) }
  const arn = `arn:aws:eks:${cluster.region}:${cluster.account}:cluster/${cluster.name}`
  const eks = () => ({
    value: more === null ? undefined : { state: { status: 'ACTIVE', arn, autoMode: false, tags: tags(), ...more } },
  })
  const tools: HandleStepTools = {
    ...world.tools,
    records: { keepActed: async () => undefined },
    beginning: async () => beginning,
    fleet,
    access: {
      describe: async (it) => {
        asked.push(it)
        return (answer ?? eks()) as never
      },
      observe,
      kube: () => world.tools.kube,
    },
    queues: {
      sendTelling: async () => undefined,
      sendEvaluations: async () => undefined,
      sendEvaluation: async (message, { delaySeconds = 0 } = {}) => {
        if (message.reason !== 'rollout') {
          told.push(message)
          return hear(message, delaySeconds)
        }
        looked.push(message)
        waits.push(delaySeconds)
        world.clock += delaySeconds * 1000
        const { decided, outdated } = message
        next = { ...first, begin: false, ...(decided && { decided }), ...(outdated && { outdated }) }
      },
      sendRolloutStep: async (message) => void (next = message),
    },
    policy: policyWith({ action: 'sync', windows, ...policy }),
    brake: { read: async () => ({ most: brake() }), command: () => '' },
    needsPermit,
    ...(trouble && { health: { trouble: async () => trouble() } }),
    log: () => undefined,
  }
  for (let step = 0; next && step < steps; step += 1) {
    const message = next
    next = undefined
    await handleStep(tools, message, { messageId: String(step), receives })
  }
  return { waits, told, asked, looked }
}

const message: RolloutStep = { schemaVersion: 1, cluster, begin: false }

/** A cluster whose range is to be changed. */
const observed = () => healthy({ nodes: 2, eks: { serviceNodePortRange: { min: 21_000, max: 22_000 } } })

describe('an account without a role that may change', () => {
  const only = { account: cluster.account, viewerRoleArn: 'arn:aws:iam::111122223333:role/looks' }
  const fleet = { own: '999999999999', regions: [cluster.region], accounts: [only] }

  test('a rollout there is refused before EKS or the cluster is asked, and its permit given back with the reason', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const { asked, told } = await run(world, { fleet }, { ...message, begin: true, permit })
    expect(asked).toEqual([])
    expect(world.felixRestarts).toEqual([])
    expect(told).toMatchObject([{ reason: 'refused', cause: expect.stringContaining('names a viewerRoleArn') }])
  })
})

describe('an account whose spoke has no operator role, of which the configuration knows nothing', () => {
  const denied = failed<never>({
    kind: 'denied',
    object: 'sts:AssumeRole',
    message: 'not authorized to perform: sts:AssumeRole',
  })

  test('a rollout there does not begin, and people hear why: it is no dead letter', async () => {
    const world = worldOf(['n0'])
    const { told } = await run(world, { answer: denied }, { ...message, begin: true, permit })
    expect(told).toMatchObject([
      {
        reason: 'refused',
        missing: ['take the operator role of its account'],
        cause: expect.stringContaining('sts:AssumeRole'),
      },
    ])
  })

  test('a rollout that has begun is tried again, and then an alarm: it stopped in the middle', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    await expect(run(world, { answer: denied }, message)).rejects.toThrow('sts:AssumeRole')
  })

  test('whatever else is refused or does not answer is tried again', async () => {
    const world = worldOf(['n0'])
    for (const [kind, object] of [
      ['denied', 'eks:DescribeCluster'],
      ['unreachable', 'sts:AssumeRole'],
    ] as const) {
      const answer = failed<never>({ kind, object, message: 'no' })
      await expect(run(world, { answer }, { ...message, begin: true })).rejects.toThrow(object)
    }
  })
})

describe('what holds a rollout', () => {
  test('a ringing alarm: nothing is written, and the wait is minutes', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const { waits } = await run(world, { trouble: () => 'the alarm rings' }, message, 5)
    expect(world.felixRestarts).toEqual([])
    expect([...world.objects.keys()]).toEqual(['default'])
    expect(waits.filter((seconds) => seconds !== 300)).toEqual([])
  })

  test.each(['canary', 'direct'] as const)(
    'an alarm after %s wrote to default: its former value is put back all the same, for that rescues the node',
    async (strategy) => {
      const world = worldOf(['n0', 'n1', 'n2'])
      world.broken.add('n1')
      startRollout(world, {
        target,
        canary: 'n0',
        pace: { ...quickPace, strategy },
      })
      const trouble = () => (world.pods.some(({ ready }) => !ready) ? 'the alarm rings' : undefined)
      await run(
        world,
        { trouble, needsPermit: true, policy: { strategy, nodeDeadlineSeconds: 120 } },
        { ...message, permit },
        40,
      )
      expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('halted')
      expect([...ranges(world)]).toEqual([
        ['n0', target],
        ['n1', undefined],
        ['n2', target],
      ])
    },
  )

  test('the brake while a former value is put back: nothing is written until it is released, and then it is put back', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    world.broken.add('n1')
    startRollout(world, {
      target,
      pace: { ...quickPace, strategy: 'direct' },
    })
    const isHalted = () => world.lease?.annotations['calico-ipvs-sync/state'] === 'halted'
    let braked = 5
    const brake = () => (isHalted() && braked-- > 0 ? 'report' : 'sync')
    const before: unknown[] = []
    const seen = () => {
      if (isHalted() && braked > 0) before.push([...world.objects.keys()])
      return undefined
    }
    await run(world, { trouble: seen, brake, policy: { strategy: 'direct', nodeDeadlineSeconds: 120 } }, message, 40)
    expect(before.every((names) => String(names) === 'default')).toBe(true)
    expect([...ranges(world).values()]).toEqual([target, undefined, target])
  })

  test('an alarm in the middle: the node in flight is still watched and halts the rollout by its deadline', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    world.broken.add('n0')
    startRollout(world, { target })
    const trouble = () => (world.felixRestarts.length > 0 ? 'the alarm rings' : undefined)
    const started = world.clock
    await run(world, { trouble }, message)
    expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('halted')
    expect(world.clock - started).toBeLessThan(180_000)
    expect(new Set(world.felixRestarts.map(({ node }) => node))).toEqual(new Set(['n0']))
    // Taking the override back is a rescue, and not held.
    expect([...world.objects.keys()]).toEqual(['default'])
  })

  test('a window that closes after the last node: what is ours is still cleaned up, and only that', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const isPromoted = () => Object.keys(world.objects.get('default')?.annotations ?? {}).length > 0
    await run(world, { trouble: () => (isPromoted() ? 'the alarm rings' : undefined) }, message)
    expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('done')
    expect([...world.objects.keys()]).toEqual(['default'])
  })

  test('a closed window: no pod is restarted and none is noted as restarted, until it opens', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { restart: ['calico-node-n0', 'calico-node-n1'] })
    const opens = Date.parse('2026-02-01T13:00:00Z')
    const windows = [{ from: '13:00', to: '14:00', timezone: 'Etc/UTC' }]
    await run(world, { windows }, message, 4)
    expect(world.lease?.annotations['calico-ipvs-sync/touching']).toBeUndefined()
    await run(world, { windows }, message)
    expect(world.podRestarts.map(({ node }) => node)).toEqual(['n0', 'n1'])
    expect(Math.min(...world.podRestarts.map(({ at }) => at))).toBeGreaterThanOrEqual(opens)
  })

  test('without a permit nothing is touched where the fleet has a budget', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const { waits } = await run(world, { needsPermit: true }, message, 4)
    expect(world.felixRestarts).toEqual([])
    expect(new Set(waits)).toEqual(new Set([300]))
  })

  test('a permit that is about to end fences the step off, and is asked for again at once', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    world.clock = Date.parse(permit.until) - 59_000
    const { waits } = await run(world, { needsPermit: true }, { ...message, permit }, 1)
    expect(world.felixRestarts).toEqual([])
    expect(waits).toEqual([1])
  })

  test('with a permit the rollout runs to its end, and the message that follows carries it on', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const { told } = await run(world, { needsPermit: true }, { ...message, permit })
    expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('done')
    expect(told).toMatchObject([{ cause: 'rollout done', permit }])
  })

  test('a halt tells the evaluation that follows which permit there is to give back', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target, state: 'halted' })
    const { told } = await run(world, { needsPermit: true }, { ...message, permit })
    expect(told).toMatchObject([{ cause: 'rollout halted', permit }])
  })

  test('a wait tells the evaluation that follows which permit there is to give back', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const { looked } = await run(world, { needsPermit: true, eks: { status: 'UPDATING' } }, { ...message, permit }, 1)
    expect(looked).toMatchObject([{ reason: 'rollout', permit }])
  })

  describe('a person who stops a rollout after the evaluation that decided it again, before its step', () => {
    const begins = { ...message, begin: true }
    /** The step begins only after the person has spoken. */
    const step = (world: World, needsPermit: boolean, steps?: number) => {
      const observe = async () => ({ ...observed(), rollout: read(world.lease) }) as never
      return run(world, { needsPermit, observe }, { ...begins, ...(needsPermit && { permit }) }, steps)
    }
    const changed = async () => {
      const world = worldOf(['n0', 'n1', 'n2'])
      startRollout(world, { target })
      await run(world, {}, message, 3)
      expect(world.felixRestarts).not.toEqual([])
      return world
    }

    test.each([true, false])(
      'by an abort: the step takes it back to its end, fleet budget: %s',
      async (needsPermit) => {
        const world = await changed()
        await control(world.tools.kube, 'abort')
        const { told } = await step(world, needsPermit)
        expect(soundRollout(world.lease, world.clock)?.state).toBe('aborted')
        expect([...world.objects.keys()]).toEqual(['default'])
        expect(told).toMatchObject(needsPermit ? [{ cause: 'no override of ours is left', permit }] : [])
      },
    )

    test.each([true, false])('by a pause: the step gives up the Lease, fleet budget: %s', async (needsPermit) => {
      const world = await changed()
      await control(world.tools.kube, 'pause')
      const { told } = await step(world, needsPermit)
      expect([soundRollout(world.lease, world.clock)?.state, world.lease?.holder ?? null]).toEqual(['paused', null])
      expect(told).toMatchObject(needsPermit ? [{ reason: 'refused', cause: 'paused by hand', permit }] : [])
    })

    test('by a pause that an evaluation finds: its step, without a permit, only gives up the Lease', async () => {
      const world = await changed()
      await control(world.tools.kube, 'pause')
      const before = [...world.objects]
      const { decided: _decided, ...tools } = world.tools
      world.tools = tools
      expect(await run(world, { needsPermit: true }, message)).toMatchObject({ told: [], looked: [] })
      expect([world.lease?.holder, [...world.objects]]).toEqual([undefined, before])
    })

    test('by a pause that an evaluation finds, and resumes it before the step: it is decided again, and nothing is written', async () => {
      const world = await changed()
      for (const act of ['pause', 'resume'] as const) await control(world.tools.kube, act)
      const before = [world.lease, [...world.objects]]
      const { decided: _decided, ...tools } = world.tools
      world.tools = tools
      const { looked } = await run(world, { needsPermit: true }, message, 1)
      expect(looked).toMatchObject([{ reason: 'rollout', cause: 'the Lease has another decision' }])
      expect([world.lease, [...world.objects]]).toEqual(before)
    })

    const aborted = async () => {
      const world = await changed()
      await control(world.tools.kube, 'abort')
      while ((await takeStep(world.tools)).next !== 'over') world.clock += 30_000
      return world
    }
    /** As an event sends it that takes up a rollout whose messages were lost. */
    const forget = (world: World) => void (world.tools = { ...world.tools, decided: undefined })

    test.each([true, false])(
      'by an abort that has ended: none begins again, with a decision in the message: %s',
      async (hasDecision) => {
        const world = await aborted()
        if (!hasDecision) forget(world)
        const { told } = await step(world, true, 1)
        expect(soundRollout(world.lease, world.clock)?.state).toBe('aborted')
        expect(told).toMatchObject([{ reason: 'refused', permit }])
      },
    )

    test('by an abort that ended more than a day ago: the next one begins', async () => {
      const world = await aborted()
      forget(world)
      world.clock += 86_401_000
      const until = new Date(world.clock + 300_000).toISOString()
      const observe = async () => ({ ...observed(), rollout: read(world.lease) }) as never
      await run(world, { needsPermit: true, observe }, { ...message, begin: true, permit: { ...permit, until } }, 1)
      expect(soundRollout(world.lease, world.clock)?.state).toBe('running')
    })
  })

  describe('a begin', () => {
    const begins = { ...message, begin: true, permit }
    const finishedAt = '2026-01-01T00:00:00Z'
    const untouched = () => worldOf(['n0'])
    const abortedBefore = () => {
      const world = untouched()
      startRollout(world, { target, state: 'aborted', startedAt: finishedAt, finishedAt })
      return world
    }
    const late = (world: World) => void (world.clock = Date.parse(permit.until) - 59_000)

    test.each([
      ['nothing has begun', untouched],
      ['a rollout was aborted long ago', abortedBefore],
    ])('that comes late, or in an alarm, is evaluated again and not dropped: where %s', async (_, worldWhere) => {
      const world = worldWhere()
      const alarmed = await run(world, { needsPermit: true, trouble: () => 'the alarm rings' }, begins, 1)
      late(world)
      const retried = await run(world, { needsPermit: true }, begins, 1)
      expect([alarmed.waits, retried.waits]).toEqual([[300], [1]])
      for (const { told, looked } of [alarmed, retried])
        expect([told, looked]).toMatchObject([[], [{ reason: 'rollout', waits: '0', permit }]])
      expect(world.felixRestarts).toEqual([])
    })

    test('that is denied ends as refused, with what is missing', async () => {
      const world = untouched()
      world.tools = { ...world.tools, kube: { ...world.tools.kube, mayI: async () => read(false) } }
      const observe = async () => observed() as never
      const { told, looked } = await run(world, { needsPermit: true, observe }, begins)
      expect([told, looked]).toMatchObject([[{ reason: 'refused', permit }], []])
      expect(told[0]?.missing).toContain('patch felixconfigurations.projectcalico.org')
    })
  })

  test('what cannot begin gives its permit back', async () => {
    const world = worldOf(['n0'])
    const { told } = await run(world, { needsPermit: true }, { ...message, permit })
    expect(told).toMatchObject([{ reason: 'refused' }])
  })
})

test('a step that the cluster refuses without end, as if it had changed, becomes a dead letter', async () => {
  const world = worldOf(['n0'])
  startRollout(world, { target })
  const why = '409: the object has been modified'
  const createFelix = () => Promise.reject(new KubeError('conflict', why, { status: 409 }))
  world.tools = { ...world.tools, kube: { ...world.tools.kube, createFelix } }
  await expect(run(world, {}, message)).rejects.toThrow(why)
})

test('a step that the cluster throttles without end becomes a dead letter, after some nine minutes', async () => {
  const world = worldOf(['n0'])
  startRollout(world, { target })
  const why = '429: too many requests'
  const createFelix = () => Promise.reject(new KubeError('unavailable', why, { status: 429 }))
  world.tools = { ...world.tools, kube: { ...world.tools.kube, createFelix } }
  const before = world.clock
  await expect(run(world, {}, message)).rejects.toThrow(why)
  expect(world.clock - before).toBe(519_000)
})

test('what changed while a rollout began is looked at again, and the tenth time in a row it is told', async () => {
  const world = worldOf(['n0'])
  const observe = () => Promise.reject(new KubeError('not-found', '404: gone', { status: 404 }))
  const begin = { ...message, begin: true, permit }
  const { looked } = await run(world, { observe }, begin, 1)
  expect(looked).toMatchObject([{ reason: 'rollout', cause: '404: gone', outdated: 1 }])
  await expect(run(world, { observe }, { ...begin, outdated: 9 }, 1)).rejects.toThrow('404: gone')
})

test('a begin that the cluster throttles is asked for again with its permit, and is told the tenth time in a row', async () => {
  const world = worldOf(['n0'])
  const why = '429: too many requests'
  const observe = () => Promise.reject(new KubeError('unavailable', why, { status: 429, retryAfterSeconds: 20 }))
  const begin = { ...message, begin: true, permit }
  const { looked, waits } = await run(world, { observe }, begin, 1)
  expect([looked, waits]).toMatchObject([[{ reason: 'rollout', outdated: 1, permit }], [20]])
  await expect(run(world, { observe }, { ...begin, outdated: 9 }, 1)).rejects.toThrow(why)
})

describe('a step that becomes a dead letter', () => {
  const why = '403: denied'
  const failing = (fault: Error): World => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    world.tools = { ...world.tools, kube: { ...world.tools.kube, createFelix: () => Promise.reject(fault) } }
    return world
  }
  const denied = new KubeError('denied', why, { status: 403 })
  const endingWith = async (fault: Error, about: Partial<RolloutStep>, receives?: number) => {
    const sent: [Evaluation, number][] = []
    const hear = async (it: Evaluation, seconds: number) => void sent.push([it, seconds])
    const end = run(failing(fault), { hear, ...(receives !== undefined && { receives }) }, { ...message, ...about })
    await expect(end).rejects.toThrow(fault.message)
    return sent
  }

  test('gives its permit back when no other message may use it any more', async () => {
    const soon = { ...permit, until: '2026-02-01T12:03:00.000Z' }
    for (const [fault, receives] of [
      [denied, 5],
      [new PermanentError('no'), 1],
    ] as const)
      expect(await endingWith(fault, { permit: soon }, receives)).toMatchObject([
        [{ reason: 'refused', cluster, permit: soon }, 180],
      ])
    const past = { ...permit, until: '2026-02-01T11:50:00.000Z' }
    expect(await endingWith(denied, { permit: past }, 5)).toMatchObject([[{ permit: past }, 0]])
  })

  test('keeps it while it is tried again, and has none to give without one', async () => {
    expect(await endingWith(denied, { permit }, 4)).toEqual([])
    expect(await endingWith(denied, {}, 5)).toEqual([])
  })

  test('says why also where the queue does not take that message', async () => {
    const hear = () => Promise.reject(new Error('SQS is away'))
    await expect(run(failing(denied), { hear, receives: 5 }, { ...message, permit })).rejects.toThrow(why)
  })
})

test.each(['its first read', 'a later one'])(
  'a step whose reads the cluster throttles without end becomes a dead letter: %s',
  async (which) => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const throttled = failed<never>({ kind: 'unavailable', object: 'it', message: 'too many requests', status: 429 })
    const unread = which === 'its first read' ? { lease: async () => throttled } : { daemonSets: async () => throttled }
    world.tools = { ...world.tools, kube: { ...world.tools.kube, ...unread } }
    const before = world.clock
    await expect(run(world, {}, message)).rejects.toThrow('too many requests')
    expect(world.clock - before).toBe(519_000)
  },
)

test('while the next node is on hold, a node that is not well is observed as often as before', async () => {
  const world = worldOf(['n0', 'n1', 'n2'])
  const pace = { ...quickPace, maxUnavailable: 2 } as const
  startRollout(world, { target, pace })
  for (; world.felixRestarts.length < 2; world.clock += 200_000) await takeStep(world.tools)
  const ago = (seconds: number) => new Date(world.clock - seconds * 1000).toISOString()
  world.pods = world.pods.map((pod) => (pod.node === 'n0' ? { ...pod, readySince: ago(2) } : pod))
  const trouble = () => 'an alarm'
  const waitsWith = async (unwell: object) => {
    startRollout(world, { ...soundRollout(world.lease, world.clock), ...unwell })
    return (await run(world, { trouble, policy: pace }, message, 1)).waits
  }
  expect(await waitsWith({ unwell: [{ node: 'n0', since: ago(60) }] })).toEqual([10])
  expect(await waitsWith({ unwell: undefined })).toEqual([300])
})

test('another node that is ill for hours is not observed so often', async () => {
  const world = worldOf(['n0', 'n1'])
  const ago = (seconds: number) => new Date(world.clock - seconds * 1000).toISOString()
  const trouble = () => 'an alarm'
  // calico-node started on n1 after the rollout had begun; nothing halts for that node.
  world.pods = world.pods.map((pod) =>
    pod.node === 'n1' ? { ...pod, createdAt: ago(3_500), ready: false, readySince: ago(3_400) } : pod,
  )
  const waitsWith = async (since: string) => {
    startRollout(world, { startedAt: ago(7_200), restart: ['calico-node-n0'], unwell: [{ node: 'n1', since }] })
    return (await run(world, { trouble }, message, 1)).waits
  }
  const [soon = 0] = await waitsWith(ago(60))
  expect(await waitsWith(ago(3_400))).toEqual([300])
  expect(soon).toBeLessThan(300)
})

test('a step that is shown no pods of calico-node becomes a dead letter when it was waited for them, not five receives later', async () => {
  const world = worldOf(['n0'])
  startRollout(world, { target })
  world.tools = { ...world.tools, kube: { ...world.tools.kube, pods: async () => read([]) } }
  const before = world.clock
  const sent: Evaluation[] = []
  const hear = async (it: Evaluation) => void sent.push(it)
  const fault = await run(world, { hear }, { ...message, permit }).catch((error: unknown) => error)
  expect(fault).toMatchObject({ message: 'no pod of the calico-node DaemonSet is listed' })
  expect([world.clock - before, isLastTry(fault, 1)]).toEqual([519_000, true])
  expect(sent).toMatchObject([{ reason: 'refused', permit }])
})

test.each([
  ['another account', { account: '444455556666' }],
  ['another region', { region: 'us-east-1' }],
])('a step for a cluster of %s than the fleet touches nothing and asks nobody', async (_, over) => {
  const world = worldOf(['n0'])
  startRollout(world, { target })
  const { waits, told, asked } = await run(world, {}, { ...message, cluster: { ...cluster, ...over } })
  expect([world.felixRestarts, [...world.objects.keys()], waits, told]).toEqual([[], ['default'], [], []])
  expect(asked).toEqual([])
})

describe('a stop', () => {
  /** What stands in the cluster, the Lease included. */
  const standing = ({ objects, pods, lease }: World) => {
    const { resourceVersion: _, annotations = {}, ...held } = lease ?? {}
    // That the write in flight was made is noted after it, and belongs to it.
    const { 'calico-ipvs-sync/written': written = '', ...said } = annotations
    return JSON.stringify([[...objects], pods, held, said, written.replaceAll('?', '')])
  }

  /** Stops after so many writes to objects and pods, and says what stood there then and what stood there in the end. */
  const stoppedAfter = async (writes: number, setting: (isStopped: () => boolean) => Setting) => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    let [done, then, isStopped] = [0, '', false]
    const { kube } = world.tools
    const counting =
      <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        const result = await write(...args)
        done += 1
        if (done === writes) {
          isStopped = true
          then = standing(world)
        }
        return result
      }
    world.tools.kube = {
      ...kube,
      createFelix: counting(kube.createFelix),
      patchFelix: counting(kube.patchFelix),
      deleteFelix: counting(kube.deleteFelix),
    }
    await run(
      world,
      setting(() => isStopped),
      message,
      120,
    )
    return { before: then, end: standing(world) }
  }

  const ways: [string, (isStopped: () => boolean) => Setting][] = [
    ['the brake at report', (isStopped) => ({ brake: () => (isStopped() ? 'report' : 'sync') })],
    ['the brake at off', (isStopped) => ({ brake: () => (isStopped() ? 'off' : 'sync') })],
    ['the tag report', (isStopped) => ({ tags: () => (isStopped() ? { 'calico-ipvs-sync': 'report' } : {}) })],
    ['the tag off', (isStopped) => ({ tags: () => (isStopped() ? { 'calico-ipvs-sync': 'off' } : {}) })],
  ]
  test.each(ways.flatMap(([name, way]) => [1, 2, 3, 4, 5, 6, 7].map((writes) => [name, writes, way] as const)))(
    '%s after write %d: nothing more is written, in the Lease neither',
    async (_, writes, way) => {
      const { before, end } = await stoppedAfter(writes, way)
      expect(before).not.toBe('')
      expect(end).toBe(before)
    },
  )

  test('by the policy: a limit of report stops what a tag switched on', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const before = standing(world)
    await run(world, { policy: { limit: 'report' }, tags: () => ({ 'calico-ipvs-sync': 'sync' }) }, message, 10)
    expect(standing(world)).toBe(before)
  })

  test('that is released lets the rollout finish', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    let asked = 0
    await run(world, { brake: () => ((asked += 1) > 10 && asked < 30 ? 'report' : 'sync') }, message, 120)
    expect(asked).toBeGreaterThan(30)
    expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('done')
    expect([...world.objects.keys()]).toEqual(['default'])
  })
})

describe('a brake that is set between the note of a write and the write, and released, time and again', () => {
  test.each([1, 2, 3])(
    'for each of the first %d notes: the rollout finishes, and nobody is said to have taken anything back',
    async (times) => {
      const world = worldOf(['n0', 'n1', 'n2'])
      startRollout(world, { target })
      const { putLease } = world.tools.kube
      let [braked, left] = [0, times]
      const noticing: typeof putLease = async (change) => {
        const put = await putLease(change)
        if (change.annotations?.['calico-ipvs-sync/written']?.endsWith('?') && left > 0) {
          left -= 1
          braked = 4
        }
        return put
      }
      world.tools = { ...world.tools, kube: { ...world.tools.kube, putLease: noticing } }
      await run(world, { brake: () => (braked > 0 && (braked -= 1) >= 0 ? 'report' : 'sync') }, message, 400)
      expect(left).toBe(0)
      expect(world.lease?.annotations['calico-ipvs-sync/reason']).toBeUndefined()
      expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('done')
      expect([...world.objects.keys()]).toEqual(['default'])
    },
  )
})

test('a brake that is set between the note of a restart and the restart: the Lease tells of none until it is made', async () => {
  const world = worldOf(['n0', 'n1'])
  startRollout(world, { restart: ['calico-node-n0', 'calico-node-n1'] })
  const annotation = (key: string) => world.lease?.annotations[`calico-ipvs-sync/${key}`] ?? ''
  const released = world.clock + 3_600_000
  let held = ''
  const brake = () => {
    const isSet = annotation('touching') !== '' && world.podRestarts.length === 0 && world.clock < released
    if (isSet || held !== '') held ||= 'held'
    return held !== '' && world.clock < released ? 'report' : 'sync'
  }
  await run(world, { brake }, message, 5)
  expect([held, world.podRestarts, annotation('touching')]).toEqual(['held', [], ''])
  expect(annotation('journal')).not.toContain(' restart ')
  world.clock = released
  await run(world, { brake }, message, 60)
  expect(world.podRestarts.map(({ node }) => node)).toEqual(['n0', 'n1'])
  const told = annotation('journal')
    .split('\n')
    .filter((line) => line.includes(' restart '))
  expect(told).toHaveLength(2)
  for (const line of told) expect(Date.parse(line.split(' ')[0] ?? '')).toBeGreaterThanOrEqual(released)
})

describe('a cluster that answers what cannot be used', () => {
  const failing = (kind: ReadFailure['kind']) => async () => failed<never>({ kind, object: 'x', message: 'why' })
  const reads = ['lease', 'daemonSets', 'pods', 'felixConfigurations'] as const

  test.each(
    reads.flatMap((which) =>
      (['malformed', 'unreachable', 'unavailable'] as const).map((kind) => [which, kind] as const),
    ),
  )(
    '%s %s: the step ends as a wait, nothing is written, and what is left is done when it can be read',
    async (which, kind) => {
      const world = worldOf(['n0', 'n1'])
      startRollout(world, { target })
      const { kube } = world.tools
      world.tools = { ...world.tools, kube: { ...kube, [which]: failing(kind) } }
      const { waits } = await run(world, {}, message, 3)
      expect(waits).toEqual([30, 30, 30])
      expect([...world.objects.keys()]).toEqual(['default'])
      world.tools = { ...world.tools, kube }
      await run(world, {}, message)
      expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('done')
    },
  )

  test('held, it waits for what it is held by', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    const { lease } = world.tools.kube
    let reads = 0
    const once: typeof lease = () => ((reads += 1) > 1 ? failing('malformed')() : lease())
    world.tools = { ...world.tools, kube: { ...world.tools.kube, lease: once } }
    const { waits } = await run(world, { trouble: () => 'the alarm rings' }, message, 1)
    expect(waits).toEqual([30])
  })

  test('what is refused for good is no wait: it is an alarm', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { target })
    world.tools = { ...world.tools, kube: { ...world.tools.kube, pods: failing('denied') } }
    await expect(run(world, {}, message, 1)).rejects.toThrow('x: why')
  })
})

test('a read that the server throttles for longer is not tried again before', async () => {
  for (const which of ['lease', 'pods'] as const) {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const failure = {
      kind: 'unavailable',
      object: 'x',
      message: 'slow down',
      status: 429,
      retryAfterSeconds: 120,
    } as const
    world.tools = { ...world.tools, kube: { ...world.tools.kube, [which]: async () => failed<never>(failure) } }
    expect((await run(world, {}, message, 2)).waits).toEqual([120, 120])
  }
})

describe('a rollout whose cluster is another one', () => {
  const earlier = '2026-01-01T00:00:00.000Z'
  const later = '2026-02-01T11:00:00.000Z'

  test.each([
    ['is no more', null, 'the cluster was deleted'],
    ['is being deleted', { status: 'DELETING' }, 'EKS is deleting the cluster'],
    [
      'was made again under its name',
      { createdAt: later },
      `the cluster was deleted, and another one with its name was created ${later}`,
    ],
    [
      'is of another account',
      { arn: 'arn:aws:eks:eu-west-1:999999999999:cluster/prod-1' },
      'EKS describes another cluster: arn:aws:eks:eu-west-1:999999999999:cluster/prod-1',
    ],
  ])('%s: nothing is read or written there, and its permit is given back at once', async (_, eks, cause) => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const { waits, told } = await run(world, { needsPermit: true, eks }, { ...message, permit, incarnation: earlier })
    expect([world.calls, world.felixRestarts, waits]).toEqual([0, [], []])
    expect(told).toEqual([{ schemaVersion: 1, cluster, incarnation: earlier, reason: 'refused', cause, permit }])
  })

  test.each([undefined, earlier])(
    'continues where it is the same one, or a message (of %s) does not say which',
    async (incarnation) => {
      const world = worldOf(['n0', 'n1'])
      startRollout(world, { target })
      const first = { ...message, permit, ...(incarnation && { incarnation }) }
      const { told } = await run(world, { needsPermit: true, eks: { createdAt: earlier } }, first)
      expect(world.lease?.annotations['calico-ipvs-sync/state']).toBe('done')
      expect(told.map((it) => it.incarnation)).toEqual([incarnation])
    },
  )
})
