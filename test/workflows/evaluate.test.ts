import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { emptyBudget, type FleetBudget, type Permit, take } from '../../shared/domain/policy/fleet-budget.ts'
import { type Action, policyWith } from '../../shared/domain/policy/policy.ts'
import type { Report } from '../../shared/domain/report.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { clusterKey, deploymentKey, type Evaluation } from '../../shared/messages.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { passingLooks } from '../../shared/workflows/fleet/next.ts'
import { accessMissing, accessNeeded } from '../../shared/workflows/rollout/access-review.ts'
import { deploymentHolder, type EvaluateTools } from '../../shared/workflows/fleet/tools.ts'
import { beginRollout } from '../../shared/workflows/rollout/begin.ts'
import { healthy } from '../domain/states.ts'
import { eksState, hub, out, ref, stateOf, withPace, withRollout } from './hub.ts'
import { permitsIn } from './permits.ts'
import { worldOf } from './world.ts'

const tag = 'calico-ipvs-sync'

const made = (createdAt: string) => async () => read({ state: { ...eksState, createdAt } } as never)

const exception = { cluster: clusterKey(ref), until: '2026-11-25', reason: 'moves next week' }

describe('a cluster that EKS does not know any more', () => {
  const gone = { describe: async () => read(undefined) }

  test('of which a verdict stands has none any more, and people hear once that it is gone', async () => {
    const it = hub({ action: 'report' })
    await it.look()
    const before = it.notices.length
    const ended = hub({ action: 'report' }, gone)
    ended.report = it.report
    await ended.look('sweep')
    await ended.look('sweep')
    expect([before, ended.notices.map(({ subject }) => subject)]).toEqual([
      1,
      ['[info] blue (111122223333 eu-central-1): the cluster was deleted'],
    ])
    expect(ended.report).toBeUndefined()
  })

  test('of which nothing is on record is passed over in silence', async () => {
    const it = hub({}, gone)
    await it.look('sweep')
    expect(it.notices).toEqual([])
  })

  test('says that it is gone again, as the same notice, where the function was killed before its end was on record', async () => {
    const it = hub({ action: 'report' })
    await it.look()
    const ended = hub({ action: 'report' }, gone)
    ended.report = it.report
    await ended.look('sweep')
    ended.report = it.report
    await ended.look('sweep')
    expect(ended.notices).toHaveLength(1)
  })
})

describe('owners', () => {
  test('what Argo CD owns is not changed: people get the exact change to make in Git', async () => {
    const it = hub()
    it.state = stateOf(`${out}, owner argocd`)
    await it.look()
    expect(it.steps).toEqual([])
    const [notice] = it.notices
    expect(notice?.text).toContain('Merge this into what Argo CD applies:\napiVersion: projectcalico.org/v3')
    expect(notice?.text).toContain('config.projectcalico.org/KubeNodePortRanges: "30000:34000"')
    expect(notice?.text).toContain('Nothing will be changed: OWNED_BY_GITOPS.')
  })
})

describe('a cluster outside the fleet', () => {
  test.each([
    ['account', { ...ref, account: '999999999999' }],
    ['region', { ...ref, region: 'ap-south-1' }],
  ])('of another %s is not so much as asked for, and a warning is logged', async (_, cluster) => {
    const asked: unknown[] = []
    const describe: EvaluateTools['describe'] = async (it) => {
      asked.push(it)
      return read({ state: eksState } as never)
    }
    const it = hub({}, { describe })
    await it.look('event', { cluster, cause: 'UpdateAddon' })
    expect([asked, it.report, it.notices, it.steps]).toEqual([[], undefined, [], []])
    expect(it.log).toMatchObject([
      { event: 'not in the fleet', level: 'warn', facts: { cluster: clusterKey(cluster), cause: 'UpdateAddon' } },
    ])
  })
})

describe('an account without a role that may change', () => {
  const only = { account: ref.account, viewerRoleArn: `arn:aws:iam::${ref.account}:role/looks` }
  const fleet = { own: '999999999999', regions: [ref.region], accounts: [only] }

  test('is only reported, whatever policy and tags say: nothing begins', async () => {
    const it = hub(
      {},
      { fleet, describe: async () => read({ state: { ...eksState, tags: { [tag]: 'sync' } } } as never) },
    )
    it.state = stateOf(out)
    await it.look()
    expect(it.steps).toEqual([])
    expect(it.notices).toHaveLength(1)
    expect(it.log.find(({ event }) => event === 'assessed')?.facts).toMatchObject({ action: 'report' })
    expect([...it.switches.values()].at(-1)).toMatchObject({ state: 'report account' })
  })
})

describe('a cluster made again under its name', () => {
  const earlier = '2026-10-01T00:00:00.000Z'
  const later = '2026-11-20T09:30:00.000Z'

  test('is not judged by what was stored of the earlier one, nor is its notice taken for told', async () => {
    const it = hub({}, { describe: made(earlier) })
    it.state = stateOf(out, { observedAt: '2026-11-20T09:00:00Z' })
    await it.look('sweep')
    await it.look('sweep')
    expect(it.notices).toHaveLength(1)
    const again = hub({}, { describe: made(later) })
    Object.assign(again, { report: it.report, claims: it.claims, kept: it.kept, state: stateOf(out) })
    again.state = stateOf(out, { observedAt: '2026-11-20T10:00:00Z' })
    await again.look('sweep')
    await again.look('sweep')
    expect(again.notices.map(({ subject }) => subject)).toEqual(it.notices.map(({ subject }) => subject))
  })

  test('is not refused what the earlier one refused', async () => {
    const it = hub({}, { describe: made(earlier) })
    it.state = stateOf(out, { observedAt: '2026-11-20T09:00:00Z' })
    await it.look('refused', { missing: ['delete pods in calico-system'] })
    await it.look()
    expect(it.steps).toEqual([])
    const again = hub({}, { describe: made(later) })
    again.report = it.report
    again.state = stateOf(out, { observedAt: '2026-11-20T10:00:00Z' })
    await again.look()
    expect(again.steps).toMatchObject([{ begin: true, incarnation: later }])
  })

  test.each(['rollout', 'follow', 'refused'] as const)(
    'is not looked at for a message of the earlier one (%s), which ends as gone',
    async (reason) => {
      const it = hub({}, { describe: made(later) })
      await it.look(reason, { incarnation: earlier, waits: 'm1', missing: ['delete pods in calico-system'] })
      expect([it.steps, it.looks, it.notices, it.report]).toEqual([[], [], [], undefined])
      expect(it.log).toMatchObject([{ event: 'cluster is gone', facts: { madeAgain: later } }])
    },
  )

  test('every message that follows from a look says which one it is about', async () => {
    const windows = [{ from: '22:00', to: '23:00', timezone: 'Etc/UTC' }]
    const waiting = hub({ windows }, { describe: made(later) })
    await waiting.look()
    const following = hub({}, { describe: made(later) })
    following.state = stateOf('unreachable')
    await following.look('rollout', { waits: 'm1' })
    const beginning = hub({}, { describe: made(later) })
    await beginning.look()
    const sent = [...waiting.looks, ...following.looks].map(({ message }) => message.incarnation)
    expect([...sent, ...beginning.steps.map((it) => it.incarnation)]).toEqual([later, later, later])
  })
})

describe('a cluster that EKS answers with another one', () => {
  test.each([
    ['account', eksState.arn.replace(ref.account, '999999999999')],
    ['region', eksState.arn.replace(ref.region, 'ap-south-1')],
    ['name', eksState.arn.replace('/blue', '/green')],
    ['ARN', ''],
  ])('of another %s: its tags switch nothing, and its time of creation ends nothing', async (_, arn) => {
    const tags = { [tag]: 'off' }
    const state = { ...eksState, arn, tags, createdAt: '2026-11-20T09:30:00.000Z' }
    const it = hub({ action: 'report' }, { describe: async () => read({ state } as never) })
    it.state = stateOf('unreachable')
    await it.look('follow', { incarnation: '2026-10-01T00:00:00.000Z' })
    expect(it.report?.verdict).toBe('unknown')
    expect(it.switches.get(clusterKey(ref))).toBeUndefined()
  })
})

describe('a cluster that is switched off', () => {
  const switchedOff = { describe: async () => read({ state: { ...eksState, tags: { [tag]: 'off' } } } as never) }
  const before = { observedAt: '2026-11-19T00:00:00Z', verdict: 'out-of-step' } as Report

  test('has no verdict any more: the last one would count for ever', async () => {
    const it = hub({ action: 'report' }, switchedOff)
    it.report = before
    await it.look()
    expect(it.report).toBeUndefined()
  })

  test('keeps it while only the brake is off, which is for a while', async () => {
    const brake = { read: async () => ({ most: 'off' as const }), command: () => '' }
    const it = hub({ action: 'report' }, { brake })
    it.report = before
    await it.look()
    expect(it.report).toBe(before)
  })
})

describe('a rollout that waits', () => {
  test('is looked at again and again while its cluster cannot be reached, and then goes on', async () => {
    const it = hub()
    it.state = stateOf('unreachable')
    await it.look('rollout', { waits: 'm1' })
    await it.look('rollout', { waits: 'm1', attempt: 1 })
    expect(it.looks).toMatchObject([
      { message: { reason: 'rollout', waits: 'm1', attempt: 1 }, delaySeconds: 5 },
      { message: { reason: 'rollout', waits: 'm1', attempt: 2 }, delaySeconds: 10 },
    ])
    expect(it.notices).toHaveLength(1)
    expect(it.steps).toEqual([])
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout', { waits: 'm1', attempt: 2 })
    expect(it.steps).toHaveLength(1)
    expect(it.looks).toHaveLength(2)
  })

  test('is not steered by an assumption: while EKS does not answer it waits, and then goes on', async () => {
    const it = hub()
    for (const given of ['denied eks', 'denied eks, annotation 30000:34000']) {
      it.looks.length = 0
      it.state = stateOf(given, withRollout({}))
      await it.look('rollout', { waits: 'm1' })
      expect(it.looks).toMatchObject([{ message: { reason: 'rollout', waits: 'm1', attempt: 1 } }])
      expect(it.steps).toEqual([])
    }
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout', { waits: 'm1', attempt: 2 })
    expect(it.steps).toHaveLength(1)
  })

  test('is let go of in the end, and left to the schedule', async () => {
    const it = hub()
    it.state = stateOf('unreachable')
    await it.look('rollout', { waits: 'm1', attempt: 18 })
    expect(it.looks).toEqual([])
  })

  test('is no concern of a look that came for another reason', async () => {
    const it = hub()
    it.state = stateOf('unreachable')
    for (const reason of ['event', 'sweep', 'follow'] as const) await it.look(reason)
    expect(it.looks).toEqual([])
  })

  test.each(['halted', 'paused', 'done', 'aborted'] as const)(
    'is not looked at again where it is %s, however little can be seen',
    async (state) => {
      const it = hub()
      it.state = stateOf('unreachable', withRollout({ state }))
      await it.look('rollout', { waits: 'm1' })
      expect(it.looks).toEqual([])
    },
  )
})

describe('a rollout that somebody stopped, or a Lease that says so', () => {
  const left = 'own mark on node.node-0001'
  const startedAt = '2026-11-20T07:00:00Z'

  test.each([out, left])('is told where it is paused, with what lets it go on: %s', async (given) => {
    const it = hub()
    it.state = stateOf(given, withRollout({ state: 'paused', startedAt }))
    await it.look('sweep')
    expect(it.notices).toHaveLength(1)
    expect(it.notices[0]?.subject).toMatch(/: rollout paused by hand$/)
    expect(it.notices[0]?.text).toMatch(
      /: rollout paused by hand\. Nothing more is changed there until a person resumes or aborts it\.\n/,
    )
    expect(it.notices[0]?.text).toContain('calico-ipvs-sync rollout resume')
    expect(it.steps).toEqual([])
  })

  test.each([
    ['at once where nobody holds its Lease', undefined, 1],
    ['by whoever holds its Lease, where somebody does', 'alice', 0],
  ])('is continued after somebody resumed it: %s', async (_, holder, steps) => {
    const it = hub()
    const { rollout } = withRollout({ state: 'running', startedAt })
    const { holder: _holder, ...record } = (rollout && valueOf(rollout)) ?? { annotations: {} }
    const renewedAt = it.state.observedAt
    it.state = stateOf(out, {
      rollout: read({ ...record, renewedAt, leaseSeconds: 900, ...(holder && { holder }) } as never),
    })
    await it.look('event')
    expect(it.steps).toHaveLength(steps)
  })

  test('goes on when Calico, which was removed in its midst, is there again', async () => {
    const it = hub()
    it.state = stateOf('no calico', withRollout({ startedAt }))
    await it.look('rollout', { waits: 'm1' })
    expect(it.steps).toEqual([])
    it.state = stateOf(out, withRollout({ startedAt }))
    await it.look('follow')
    expect(it.steps).toMatchObject([{ begin: true }])
  })

  test('is not said to be carried out now in the day after it was aborted', async () => {
    const it = hub()
    it.state = stateOf(out, withRollout({ state: 'aborted', startedAt, finishedAt: '2026-11-20T08:00:00Z' }))
    await it.look('sweep')
    expect(it.notices[0]?.text).not.toContain('nobody has to act')
    expect(it.notices[0]?.text).toContain('a rollout was aborted; none begins before 2026-11-21T08:00:00.000Z')
    expect(it.steps).toEqual([])
  })

  const rescuing = (it: ReturnType<typeof hub>, secondsAgo: number) => {
    const { rollout } = withRollout({ state: 'halted', reason: 'n1 did not come back', rollback: ['node-0001'] })
    const record = rollout && valueOf(rollout)
    const renewedAt = new Date(Date.parse(it.state.observedAt) - secondsAgo * 1_000).toISOString()
    return stateOf(out, { rollout: read(record && { ...record, holder: deploymentHolder, renewedAt }) })
  }

  test('and that was halted in the middle of what rescues its nodes goes on when its own message comes back, and only then', async () => {
    const it = hub()
    it.state = rescuing(it, 5)
    await it.look('event')
    expect(it.steps).toEqual([])
    await it.look('rollout', { waits: 'm1' })
    expect(it.steps).toMatchObject([{ begin: false }])
  })

  test('and that was halted is told when its nodes have back what they had, once, with the outcome', async () => {
    const it = hub()
    it.state = rescuing(it, 5)
    await it.look('event')
    await it.look('rollout', { waits: 'm1' })
    expect(it.notices).toEqual([])
    expect(it.looks.map(({ message }) => message.reason)).toEqual(['follow'])
    it.state = stateOf(out, withRollout({ state: 'halted', reason: 'n1 did not come back' }))
    await it.look('event')
    expect(it.notices).toMatchObject([{ subject: expect.stringContaining('rollout halted') }])
  })

  test('and that was halted is told all the same where nobody has given its nodes back what they had for ten minutes, or may not', async () => {
    const quiet = hub()
    quiet.state = rescuing(quiet, 601)
    await quiet.look('event')
    expect(quiet.notices).toHaveLength(1)
    const forbidden = hub({ action: 'report' })
    forbidden.state = rescuing(forbidden, 5)
    await forbidden.look('event')
    expect(forbidden.notices).toHaveLength(1)
  })

  test('is not said to be over while it waits for nodes that took the value at once', async () => {
    const it = hub()
    it.state = stateOf(out)
    await it.look('event')
    const { rollout } = withRollout({ pace: { ...withPace, strategy: 'direct' } })
    const record = rollout && valueOf(rollout)
    const renewedAt = stateOf('nothing').observedAt
    it.state = stateOf('nothing', { rollout: read(record && { ...record, renewedAt }) })
    await it.look('event')
    expect(it.notices).toHaveLength(1)
    it.state = stateOf('nothing', withRollout({ state: 'done', finishedAt: '2026-11-20T10:00:00Z' }))
    await it.look('event')
    expect(it.notices.map(({ subject }) => subject).at(-1)).toContain('Calico is in step again')
  })

  test('was not aborted where overrides of ours are left: what is left is taken up again', async () => {
    const it = hub()
    it.state = stateOf(left, withRollout({ state: 'aborted', startedAt, finishedAt: '2026-11-20T08:00:00Z' }))
    await it.look('sweep')
    expect(it.steps).toMatchObject([{ begin: true }])
  })
})

describe('a change that does not end', () => {
  test('is told once when it was followed for hours, with what is known, and that it is over', async () => {
    const it = hub()
    it.state = stateOf('two calicos')
    await it.look('follow', { attempt: 17 })
    expect([it.notices, it.looks.length]).toEqual([[], 1])
    // Not told, but on record: nobody can say later that nobody looked.
    expect(it.seen).toEqual(['changing'])
    await it.look('follow', { attempt: 18 })
    await it.look('follow', { attempt: 18 })
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      '[warning] blue (111122223333 eu-central-1): a change is under way',
    ])
    expect(it.notices[0]?.text).toContain('WARNING CALICO_MIGRATING: Calico is installed twice')
    expect(it.report?.verdict).toBe('changing')
    expect(it.steps).toEqual([])
    it.state = stateOf('nothing', { observedAt: '2026-11-20T11:00:00Z' })
    await it.look('sweep')
    expect(it.notices[1]?.subject).toContain('Calico is in step again')
  })

  test('but of which there is nothing to say is left to the schedule', async () => {
    const it = hub()
    it.state = stateOf('eks UPDATING')
    await it.look('follow', { attempt: 18 })
    expect([it.notices, it.looks, it.report]).toEqual([[], [], undefined])
  })
})

test('an evaluation that observed the cluster before the stored report tells nothing', async () => {
  const it = hub({ action: 'report' })
  const at = (minutes: number, given = 'nothing') => stateOf(given, { observedAt: `2026-11-20T10:0${minutes}:00Z` })
  for (const state of [at(1, out), at(3), at(2, out), at(4)]) {
    it.state = state
    await it.look('event')
  }
  expect(it.notices.map(({ attributes: { kind } }) => kind)).toEqual(['trouble', 'in-step'])
  expect(it.report?.observedAt).toBe('2026-11-20T10:04:00Z')
})

describe('a cluster that cannot be read just now', () => {
  const throttled = (retryAfterSeconds?: number): Partial<ClusterState> => ({
    nodes: failed({
      kind: 'unavailable',
      object: 'Nodes',
      message: '429: slow down',
      status: 429,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    }),
  })

  test('because its server throttles is looked at again, and nobody is told of what passes', async () => {
    const it = hub()
    it.state = stateOf(out, throttled())
    for (let attempt = 0; attempt < 6; attempt += 1) await it.look('event', { attempt })
    expect(it.notices).toEqual([])
    expect(it.report).toBeUndefined()
    expect(it.looks.map(({ delaySeconds }) => delaySeconds)).toEqual([5, 10, 20, 40, 80, 160])
    it.state = { ...healthy(), cluster: ref }
    await it.look('follow', { attempt: 6 })
    expect(it.notices).toEqual([])
    expect(it.report?.verdict).toBe('in-step')
  })

  test('waits for as long as its server asks', async () => {
    const it = hub()
    it.state = stateOf(out, throttled(120))
    await it.look()
    expect(it.looks).toMatchObject([{ delaySeconds: 120 }])
  })

  test.each([
    ['unavailable', 'eks:DescribeCluster'],
    ['unreachable', 'eks:DescribeCluster'],
    ['unreachable', 'sts:AssumeRole'],
  ] as const)('because an API of AWS is %s (%s), the same', async (kind, object) => {
    const denied = { failure: { kind, object, message: 'Throttling' } } as const
    const it = hub({}, { describe: async () => denied })
    it.state = stateOf('unreachable', { eks: denied })
    await it.look()
    expect([it.notices.length, it.looks.length]).toEqual([0, 1])
  })

  test('for more than five minutes is told as unknown, once', async () => {
    const it = hub()
    it.state = stateOf(out, throttled())
    await it.look('follow', { attempt: 6 })
    await it.look('sweep', { attempt: 6 })
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      '[warning] blue (111122223333 eu-central-1): cannot tell whether Calico is in step',
    ])
  })

  test('because nobody answers there is told at once: that does not pass by itself', async () => {
    const it = hub()
    it.state = stateOf('unreachable')
    await it.look()
    expect([it.notices.length, it.looks.length]).toEqual([1, 0])
  })

  test.each([
    ['connections', 'unreachable'],
    ['requests that it would allow', 'eks range 20000-22767, denied pods'],
  ])(
    'while EKS updates the cluster, whose server refuses %s, passes, and is looked at until the update has ended',
    async (_, name) => {
      const it = hub()
      const state = stateOf(name)
      it.state = {
        ...state,
        eks: read({
          ...eksState,
          status: 'UPDATING',
          autoMode: false,
          kubeProxyAddon: read(undefined),
          updates: read([]),
        }),
      }
      await it.look('event')
      expect([it.notices.length, it.looks.length]).toEqual([0, 1])
      // However many evaluations find it so, one each quarter of an hour follows.
      for (const reason of ['follow', 'event', 'sweep'] as const) await it.look(reason, { attempt: 6 })
      expect([it.notices.length, it.looks.length]).toEqual([1, 2])
      expect(it.looks[1]).toMatchObject({ message: { reason: 'follow', attempt: 6 }, delaySeconds: 900 })
      it.clock += 900_000
      await it.look('follow', { attempt: 6 })
      expect([it.notices.length, it.looks.length]).toEqual([1, 3])
      it.state = state
      await it.look('follow', { attempt: 6 })
      expect([it.notices.length, it.looks.length]).toEqual([1, 3])
    },
  )

  test('for want of a permission is not looked at again because a DaemonSet rolls, which may last for days', async () => {
    const it = hub()
    it.state = stateOf('rolling calico, denied pods')
    for (const reason of ['event', 'sweep'] as const) await it.look(reason)
    expect(it.report).toMatchObject({
      verdict: 'unknown',
      findings: expect.arrayContaining([expect.objectContaining({ code: 'CLUSTER_UPDATING', severity: 'info' })]),
    })
    expect(it.looks).toEqual([])
  })

  test('because two looks at it broke off is not looked at a third time: people hear of it', async () => {
    let observed = 0
    const it = hub({}, { observe: async () => Promise.reject(new Error(`look ${(observed += 1)}`)) })
    await expect(it.look('event', {}, 1)).rejects.toThrow('look 1')
    await expect(it.look('event', {}, 2)).rejects.toThrow('look 2')
    await it.look('event', {}, 3)
    expect(observed).toBe(2)
    expect(it.notices).toHaveLength(1)
    expect(it.notices[0]?.text).toContain('2 evaluations of this cluster failed: out of memory or time, or by an error')
    expect(it.steps).toEqual([])
  })
})

describe('a message that comes again', () => {
  test('because records or queues failed has its look: no look broke off', async () => {
    const it = hub()
    await it.look('event', {}, 4)
    expect(it.notices.map(({ subject }) => subject)).toEqual([expect.stringContaining('out of step')])
    expect(it.begun).toBeUndefined()
  })

  test('is not needed for the end of a problem that its evaluation told before it was killed', async () => {
    const it = hub()
    it.state = stateOf('nothing')
    await it.look()
    it.state = stateOf(out)
    const { putReport } = it.tools.records
    it.tools.records.putReport = () => Promise.reject(new Error('killed'))
    await expect(it.look()).rejects.toThrow('killed')
    it.tools.records.putReport = putReport
    it.state = stateOf('nothing')
    await it.look('sweep')
    await it.look('sweep')
    const [begun, ended] = [expect.stringContaining('out of step'), expect.stringContaining('in step again')]
    expect(it.notices.map(({ subject }) => subject)).toEqual([begun, ended])
    expect(it.notices[1]?.about?.incident).toBe(it.notices[0]?.about?.incident)
  })
})

describe('flapping', () => {
  const done = (finishedAt: string) => withRollout({ state: 'done', startedAt: finishedAt, finishedAt })

  test('a value taken back after our write is not written again the same day, and people hear who to look for', async () => {
    const it = hub()
    it.state = stateOf(out, done('2026-11-20T08:00:00Z'))
    await it.look('sweep')
    expect(it.steps).toEqual([])
    expect(it.notices[0]?.text).toContain('FLAPPING')
  })

  test('another day it is', async () => {
    const it = hub()
    it.state = stateOf(out, done('2026-11-18T08:00:00Z'))
    await it.look('sweep')
    expect(it.steps).toHaveLength(1)
  })
})

describe('the switches', () => {
  const braked = (position: { most: Action; unreadable?: string }) => ({
    brake: { read: async () => position, command: (to: Action) => `set the brake to ${to}` },
  })
  const tagged = (tag?: string) => async () =>
    read({ state: { ...eksState, tags: tag === undefined ? {} : { 'calico-ipvs-sync': tag } } } as never)

  test.each([
    [{ limit: 'report' }, 'sync'],
    [{ limit: 'off' }, 'sync'],
    [{ limit: 'report', action: 'sync' }, undefined],
  ] as const)('a policy of %j lets tag %s begin nothing', async (policy, tag) => {
    const it = hub(policy, { describe: tagged(tag) })
    await it.look()
    expect(it.steps).toEqual([])
  })

  test.each(['report', 'off'] as const)('with the brake at %s nothing begins and nothing continues', async (most) => {
    const it = hub({}, braked({ most }))
    await it.look('sweep')
    it.state = stateOf(out, withRollout({}))
    for (const reason of ['event', 'sweep', 'follow', 'rollout'] as const) await it.look(reason, { waits: 'm1' })
    expect(it.steps).toEqual([])
  })

  test('a brake that cannot be read counts as report: nothing begins, and it is a line of the log and not news', async () => {
    const it = hub({}, braked({ most: 'report', unreadable: 'HTTP 403' }))
    await it.look('sweep')
    await it.look('sweep')
    expect(it.steps).toEqual([])
    expect(it.notices.map(({ subject }) => subject).filter((subject) => /brake/.test(subject))).toEqual([])
    expect(it.log).toContainEqual({ event: 'brake cannot be read', facts: { why: 'HTTP 403' } })
  })

  test('a brake that cannot be read for a moment is not said to have been set or released, also while a rollout waits for it', async () => {
    const position: { most: Action; unreadable?: string } = { most: 'sync' }
    const it = hub({}, { brake: { read: async () => ({ ...position }), command: () => 'release it' } })
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout')
    it.notices.length = 0
    Object.assign(position, { most: 'report', unreadable: 'HTTP 400 ThrottlingException' })
    await it.look('rollout')
    expect(it.steps).toHaveLength(1)
    position.most = 'sync'
    delete position.unreadable
    await it.look('rollout')
    expect([it.steps.length, it.notices]).toEqual([2, []])
  })

  test('a rollout that the brake stops keeps its message, and continues with it when the brake is released', async () => {
    const position = { most: 'report' as Action }
    const it = hub({}, { brake: { read: async () => position, command: () => 'release it' } })
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout', { waits: 'm1' })
    await it.look('rollout', { waits: 'm1' })
    expect(it.looks).toEqual([
      { message: expect.objectContaining({ reason: 'rollout', waits: 'm1' }), delaySeconds: 30 },
      { message: expect.objectContaining({ reason: 'rollout', waits: 'm1' }), delaySeconds: 30 },
    ])
    position.most = 'sync'
    await it.look('rollout', { waits: 'm1' })
    expect(it.steps).toHaveLength(1)
    expect(it.looks).toHaveLength(2)
  })

  test('people hear once that the brake was set, and once that it was released', async () => {
    const position = { most: 'sync' as Action }
    const it = hub({}, { brake: { read: async () => position, command: () => 'release it' } })
    it.state = { ...healthy(), cluster: ref }
    const subjects = () => it.notices.map(({ subject }) => subject)
    await it.look('sweep')
    expect(subjects()).toEqual([])
    for (const most of ['report', 'report', 'sync', 'report'] as const) {
      position.most = most
      it.clock += 60_000
      await it.look('sweep')
      await it.look('event')
    }
    const set = '[info] all clusters: action sync, limit sync, brake report'
    expect(subjects()).toEqual([set, '[info] all clusters: action sync, limit sync, brake sync', set])
    expect(it.notices[0]?.text).toContain('To release the brake: release it')
    expect(it.notices[1]?.text).not.toContain('To release')
  })

  test('every notice of a halt says how to stop all: the command of the brake', async () => {
    const brake = {
      read: async () => ({ most: 'sync' as const }),
      command: (most: Action) => `set the brake to ${most}`,
    }
    const it = hub({}, { brake })
    it.state = stateOf(out, withRollout({ state: 'halted', reason: 'n1 did not come back' }))
    await it.look('rollout')
    expect(it.notices.map(({ text }) => text)).toEqual([expect.stringContaining('set the brake to report')])
  })

  test('people hear once that the limit of tags was changed by a deployment', async () => {
    const brake = { read: async () => ({ most: 'sync' as const }), command: () => 'release it' }
    const before = hub({}, { brake })
    const after = hub({ limit: 'report' }, { brake })
    for (const it of [before, after]) it.state = { ...healthy(), cluster: ref }
    await before.look('sweep')
    after.switches = before.switches
    for (const reason of ['sweep', 'event', 'sweep'] as const) await after.look(reason)
    expect(after.notices.map(({ subject }) => subject)).toEqual([
      '[info] all clusters: action sync, limit report, brake sync',
    ])
  })

  test('of a cluster whose rollout the brake stops, people hear that too', async () => {
    const position = { most: 'sync' as Action }
    const it = hub({}, { brake: { read: async () => position, command: () => 'release it' } })
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout')
    position.most = 'report'
    it.notices.length = 0
    for (let looks = 0; looks < 3; looks += 1) await it.look('rollout')
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      '[info] all clusters: action sync, limit sync, brake report',
      '[info] blue (111122223333 eu-central-1): switched from sync to report by the brake',
    ])
    expect(it.notices[1]?.text).toContain('stops where it is: no further write is made')
    position.most = 'sync'
    it.notices.length = 0
    for (let looks = 0; looks < 3; looks += 1) await it.look('rollout')
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      '[info] all clusters: action sync, limit sync, brake sync',
      '[info] blue (111122223333 eu-central-1): switched from report to sync because the brake was released',
    ])
  })

  test('a rollout that a brake at off stops is told as stopped, as with report', async () => {
    const position = { most: 'sync' as Action }
    const it = hub({}, { brake: { read: async () => position, command: () => 'release it' } })
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout')
    position.most = 'off'
    it.notices.length = 0
    for (let looks = 0; looks < 3; looks += 1) await it.look('rollout')
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      '[info] all clusters: action sync, limit sync, brake off',
      '[info] blue (111122223333 eu-central-1): switched from sync to off by the brake',
    ])
    expect(it.notices[1]?.text).toContain('stops where it is: no further write is made')
  })

  test('a rollout that a tag stops is looked at again, and goes on when the tag allows it, also within ten minutes', async () => {
    let tag = 'report'
    const it = hub({}, { describe: async () => tagged(tag)() })
    const running = (renewedAt: string) => {
      const record = valueOf(withRollout({}).rollout)
      return stateOf(out, { rollout: read({ ...record, holder: 'hub', leaseSeconds: 900, renewedAt } as never) })
    }
    it.state = running('2026-11-20T09:59:55Z')
    await it.look('rollout', { waits: 'm1' })
    expect(it.looks).toMatchObject([{ message: { reason: 'follow' }, delaySeconds: 900 }])
    tag = 'sync'
    // It still counts as carried out by somebody.
    await it.look('event')
    expect(it.steps).toEqual([])
    it.clock += 900_000
    await it.look('follow')
    expect(it.steps).toMatchObject([{ begin: true }])
  })

  test.each([
    ['off', {}],
    ['report', { looks: 'a look in this quarter of an hour is asked for already' }],
  ])(
    'a rollout that the tag %s stopped for a minute is looked at as soon as nobody can be carrying it out',
    async (most, { looks }: { looks?: string }) => {
      let tag = most
      const it = hub({}, { describe: async () => tagged(tag)() })
      const record = valueOf(withRollout({}).rollout)
      const renewed = { holder: deploymentHolder, leaseSeconds: 900, renewedAt: '2026-11-20T09:59:55.300Z' }
      it.state = stateOf(out, { rollout: read({ ...record, ...renewed } as never) })
      if (looks) it.claims.add(`look  ${Math.floor(it.clock / 900_000) + 1}`)
      await it.look('rollout', { waits: 'm1' })
      expect(it.looks).toEqual([])
      it.clock += 60_000
      tag = 'sync'
      for (const reason of ['event', 'sweep'] as const) {
        await it.look(reason)
        it.clock += 30_000
        it.state = { ...it.state, observedAt: new Date(it.clock).toISOString() }
      }
      expect([it.steps, it.looks]).toEqual([
        [],
        [{ message: expect.objectContaining({ reason: 'follow' }), delaySeconds: 596 }],
      ])
      it.clock += 536_000
      await it.look('follow')
      expect(it.steps).toMatchObject([{ begin: true }])
      expect(it.looks).toHaveLength(1)
    },
  )

  test('a rollout that continues by itself after a tag had stopped it is not looked at without end', async () => {
    let tag = 'off'
    const it = hub({}, { describe: async () => tagged(tag)() })
    const record = valueOf(withRollout({}).rollout)
    const renew = () => {
      const at = new Date(it.clock).toISOString()
      const renewed = { holder: deploymentHolder, leaseSeconds: 900, renewedAt: at }
      it.state = stateOf(out, { observedAt: at, rollout: read({ ...record, ...renewed } as never) })
    }
    renew()
    await it.look('event')
    tag = 'sync'
    await it.look('event')
    expect(it.looks).toMatchObject([{ delaySeconds: 660 }])
    it.clock += 590_000
    renew()
    it.clock += 70_000
    it.state = { ...it.state, observedAt: new Date(it.clock).toISOString() }
    await it.look('follow')
    expect([it.steps, it.looks]).toMatchObject([[], [{ delaySeconds: 660 }]])
  })

  test('people hear once of each change by tag, also to off, and nothing at the first look', async () => {
    let tag: string | undefined
    const it = hub({}, { describe: async () => tagged(tag)() })
    it.state = { ...healthy(), cluster: ref }
    for (const next of [undefined, 'off', 'off', 'sync', 'report', undefined]) {
      tag = next
      it.clock += 60_000
      await it.look('event')
      await it.look('sweep')
    }
    const blue = '[info] blue (111122223333 eu-central-1): switched'
    expect(it.notices.map(({ subject }) => subject)).toEqual([
      `${blue} from sync to off by its tag calico-ipvs-sync`,
      `${blue} from off to sync by its tag calico-ipvs-sync`,
      `${blue} from sync to report by its tag calico-ipvs-sync`,
      `${blue} from report to sync by the deployment's policy`,
    ])
  })

  /** The first look reads the switch, and goes on only when it is let. */
  const slow = () => {
    const [reads, goes] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let isFirst = true
    const answer = async <T>(value: T): Promise<T> => {
      if (!isFirst) return value
      isFirst = false
      reads.resolve()
      await goes.promise
      return value
    }
    return { answer, reads: reads.promise, letGo: () => goes.resolve() }
  }
  const overtaken = async (it: ReturnType<typeof hub>, set: () => void, { reads, letGo }: ReturnType<typeof slow>) => {
    const before = it.look('event')
    await reads
    it.clock += 20_000
    set()
    await it.look('event')
    it.clock += 20_000
    letGo()
    await before
    for (let looks = 0; looks < 2; looks += 1) await it.look('sweep')
    return it.notices.map(({ subject }) => subject)
  }

  test('a brake is told once, though an evaluation that read it before goes on after that', async () => {
    const position = { most: 'sync' as Action }
    const first = slow()
    const described = async () => first.answer(tagged(undefined)())
    const it = hub({}, { brake: { read: async () => ({ ...position }), command: () => '' }, describe: described })
    it.state = { ...healthy(), cluster: ref }
    it.switches.set(deploymentKey, {
      state: 'action sync, limit sync, brake sync',
      action: 'sync',
      since: '2026-11-19T10:00:00.000Z',
    })
    expect(await overtaken(it, () => (position.most = 'report'), first)).toEqual([
      '[info] all clusters: action sync, limit sync, brake report',
    ])
    expect(it.switches.get(deploymentKey)?.state).toContain('brake report')
  })

  test('a tag is told once, though an evaluation that read it before goes on after that', async () => {
    let tag = 'sync'
    const first = slow()
    const it = hub({}, { describe: async () => tagged(tag)(), observe: async () => first.answer(it.state) })
    it.state = { ...healthy(), cluster: ref }
    it.switches.set(clusterKey(ref), { state: 'sync tag', action: 'sync', since: '2026-11-19T10:00:00.000Z' })
    expect(await overtaken(it, () => (tag = 'report'), first)).toEqual([
      '[info] blue (111122223333 eu-central-1): switched from sync to report by its tag calico-ipvs-sync',
    ])
    expect(it.switches.get(clusterKey(ref))?.state).toBe('report tag')
  })

  test('while EKS does not answer, no tag is taken for removed', async () => {
    const it = hub({ action: 'report' }, { describe: tagged('sync') })
    it.state = { ...healthy(), cluster: ref }
    await it.look()
    const denied = { failure: { kind: 'denied', object: 'eks:DescribeCluster', message: 'no' } } as const
    const other = hub({ action: 'report' }, { describe: async () => denied })
    other.switches = it.switches
    other.state = { ...healthy(), cluster: ref }
    await other.look()
    expect(other.notices.map(({ subject }) => subject).filter((subject) => /switched/.test(subject))).toEqual([])
  })
})

describe('what only planning needs to know', () => {
  test('is asked for where something is to be changed and no rollout waits, and nowhere else', async () => {
    const asked: string[] = []
    const forPlan: EvaluateTools['forPlan'] = async (_, _eks, state) => {
      asked.push('asked')
      const [first = ''] = (valueOf(state.nodes) ?? []).map(({ name }) => name)
      return { ...state, webhookNodes: read([first]) }
    }
    const it = hub({}, { forPlan })
    await it.look()
    expect(asked).toHaveLength(1)
    const [first = '', second = ''] = (valueOf(it.state.nodes) ?? []).map(({ name }) => `node.${name}`)
    const created = (it.report?.plan?.changes ?? []).flatMap(({ action, name }) => (action === 'create' ? [name] : []))
    expect([created[0], created.at(-1)]).toEqual([second, first])
    await it.look('rollout')
    it.state = { ...healthy(), cluster: ref }
    await it.look()
    expect(asked).toHaveLength(1)
  })
})

describe('the record', () => {
  test('gets every write that the Lease or an object tells of, before anything follows from the look', async () => {
    const it = hub()
    const begin = '2026-11-20T08:00:00Z r1 begin Lease/kube-system/calico-ipvs-sync - -> 1:2 by alice@laptop because X'
    const annotations = { 'calico-ipvs-sync/journal': begin }
    const change = JSON.stringify({ by: 'bob', rollout: 'r1', from: '1:1', why: 'RANGE_DIFFERS' })
    const at = '2026-11-20T09:00:00Z'
    const marks = { 'calico-ipvs-sync/changed-at': at, 'calico-ipvs-sync/change': change }
    const state = stateOf(out)
    const felix = valueOf(state.felix)
    const objects = (felix?.objects ?? []).map((object) =>
      object.name === 'default' ? { ...object, annotations: { ...object.annotations, ...marks } } : object,
    )
    it.state = { ...state, rollout: read({ resourceVersion: '1', annotations }), felix: read({ ...felix!, objects }) }
    await it.look()
    expect(it.written).toMatchObject([
      {
        what: 'promote',
        object: 'FelixConfiguration/default',
        at,
        rollout: 'r1',
        by: 'bob',
        from: '1:1',
        why: 'RANGE_DIFFERS',
      },
      { what: 'begin', by: 'alice@laptop', why: 'X', to: '1:2' },
    ])
  })

  test('is not so much as asked where nothing was ever written', async () => {
    const it = hub()
    it.state = { ...healthy(), cluster: ref }
    await it.look()
    expect(it.written).toEqual([])
  })
})

describe('exceptions', () => {
  test('an excepted cluster is neither changed nor spoken of, and people hear of it again afterwards, with the reason', async () => {
    const it = hub({ exceptions: [exception] })
    await it.look('sweep')
    expect([it.steps, it.notices]).toEqual([[], []])
    expect(it.log.find(({ event }) => event === 'excepted')?.facts).toMatchObject({
      exceptions: ['Excepted until 2026-11-25: moves next week'],
    })
    it.clock = Date.parse('2026-11-26T00:00:01Z')
    it.state = stateOf(out, { observedAt: '2026-11-26T00:00:01Z' })
    await it.look('sweep')
    expect(it.steps).toHaveLength(1)
    expect(it.notices[0]?.text).toContain('No longer excepted, since 2026-11-25: moves next week')
  })

  test('an excepted finding is not written for; what else there is, is told together with the exception', async () => {
    const it = hub({ exceptions: [{ ...exception, code: 'RANGE_DIFFERS' }] })
    it.state = stateOf(`${out}, owner argocd`)
    await it.look('sweep')
    expect(it.steps).toEqual([])
    const [notice] = it.notices
    expect(notice?.text).toContain('RANGE_DIFFERS is not reported. Excepted until 2026-11-25: moves next week')
    expect(notice?.text).not.toMatch(/^(CRITICAL|WARNING) RANGE_DIFFERS/m)
  })
})

describe('windows and alarms before a rollout begins', () => {
  const windows = [{ from: '22:00', to: '23:00', timezone: 'Etc/UTC' }]

  test('outside every window nothing begins; people hear when, and one look is asked for however many events there are', async () => {
    const it = hub({ windows })
    for (let events = 0; events < 5; events += 1) await it.look()
    expect(it.steps).toEqual([])
    expect(it.notices).toHaveLength(1)
    expect(it.notices[0]?.text).toContain('the maintenance window is closed; it opens 2026-11-20T22:00:00.000Z')
    expect(it.looks.map(({ delaySeconds }) => delaySeconds)).toEqual([900])
  })

  test('the looks follow one another until the window opens, and then it begins', async () => {
    const it = hub({ windows })
    await it.look()
    for (let taken = 0; it.steps.length === 0 && taken < 100; taken += 1) {
      it.clock += (it.looks[taken]?.delaySeconds ?? 0) * 1000
      await it.look('follow')
    }
    expect(new Date(it.clock).toISOString()).toBe('2026-11-20T22:00:00.000Z')
    expect(it.looks).toHaveLength(48)
  })

  test('a running rollout that nobody carries out: events add no chains of messages, and it goes on when the window opens', async () => {
    const it = hub({ windows })
    it.state = stateOf(out, withRollout({}))
    for (const reason of ['event', 'sweep', 'event'] as const) await it.look(reason)
    expect(it.steps).toEqual([])
    expect(it.looks.map(({ delaySeconds }) => delaySeconds)).toEqual([900])
    await it.look('rollout', { waits: 'm1' })
    expect(it.steps).toHaveLength(1)
    it.clock = Date.parse('2026-11-20T22:00:00Z')
    await it.look('follow')
    expect(it.steps).toHaveLength(2)
  })

  test('how often the cluster refused a step goes with its messages, also past a look that was too early', async () => {
    const it = hub()
    it.state = stateOf(out, withRollout({}))
    await it.look('rollout', { waits: 'm1', decided: 'd', outdated: 3 })
    expect(it.steps).toMatchObject([{ outdated: 3 }])
    it.state = { ...it.state, nodes: failed({ kind: 'unavailable', object: 'nodes', message: '503' }) }
    await it.look('rollout', { waits: 'm1', decided: 'd', outdated: 3 })
    expect(it.looks).toMatchObject([{ message: { reason: 'rollout', outdated: 3 } }])
  })

  test('an alarm that rings lets nothing begin', async () => {
    const it = hub({}, { health: { trouble: async () => 'the alarm checkout rings' } })
    await it.look()
    expect(it.steps).toEqual([])
    expect(it.notices[0]?.text).toContain('not yet: the alarm checkout rings')
  })
})

describe('the fleet budget', () => {
  const shared = (others: string[]) => {
    const fleet = { budget: emptyBudget, limit: 1 }
    const asking = (cluster: string, incarnation?: string) => ({
      cluster,
      ...(incarnation && { incarnation }),
      limit: fleet.limit,
      now: Date.parse('2026-11-20T10:00:00Z'),
    })
    const earlier = { now: Date.parse('2026-11-20T09:50:00Z') }
    for (const cluster of others)
      fleet.budget = take(fleet.budget, { ...asking(cluster), ...earlier }).store ?? fleet.budget
    const clock = { now: asking('').now }
    const permits = permitsIn(fleet, () => clock.now)
    return { fleet, permits, asking, clock }
  }

  test('goes along with the message that begins', async () => {
    const it = hub({}, { permits: shared([]).permits })
    await it.look()
    expect(it.steps).toMatchObject([{ begin: true, permit: { token: 1, until: '2026-11-20T10:05:00.000Z' } }])
  })

  test('spent elsewhere, nothing begins and people hear that it waits', async () => {
    const it = hub({}, { permits: shared(['111122223333/eu-central-1/green']).permits })
    await it.look()
    expect(it.steps).toEqual([])
    expect(it.notices[0]?.text).toContain('not yet: as many clusters as the fleet budget allows')
  })

  test('spent elsewhere, events add no chains of messages to a running rollout that nobody carries out; it goes on with a permit', async () => {
    const { fleet, permits } = shared(['111122223333/eu-central-1/green'])
    const it = hub({}, { permits })
    it.state = stateOf(out, withRollout({}))
    for (const reason of ['event', 'sweep', 'event'] as const) await it.look(reason)
    expect([it.steps, it.looks, fleet.budget.waiting]).toEqual([[], [], [clusterKey(ref)]])
    await it.look('rollout', { waits: 'm1', decided: 'd' })
    expect(it.steps).toHaveLength(1)
    expect(await permits.leave('111122223333/eu-central-1/green')).toEqual([clusterKey(ref)])
    await it.look('follow')
    expect(it.steps).toMatchObject([{ decided: 'd' }, { begin: true, permit: { token: expect.any(Number) } }])
  })

  test.each([
    ['is gone', { describe: async () => read(undefined) }, {}],
    [
      'is switched off',
      { describe: async () => read({ state: { ...eksState, tags: { [tag]: 'off' } } } as never) },
      {},
    ],
    ['left the fleet', {}, { cluster: { ...ref, region: 'ap-south-1' } }],
  ] as const)('of a cluster that %s is given back at once, and who waits is looked at', async (_, more, about) => {
    const { cluster = ref } = about as { cluster?: typeof ref }
    const { fleet, permits } = shared([clusterKey(cluster), '111122223333/eu-central-1/green'])
    const it = hub({}, { permits, ...more })
    await it.look('rollout', about)
    expect([fleet.budget.holders, fleet.budget.waiting]).toEqual([[], []])
    expect(it.looks).toMatchObject([{ message: { cluster: { name: 'green' }, reason: 'follow' }, delaySeconds: 0 }])
    expect([it.report, it.notices, it.steps]).toEqual([undefined, [], []])
  })

  test.each([
    ['is switched off', { [tag]: 'off' }, ref],
    ['left the fleet', {}, { ...ref, region: 'ap-south-1' }],
  ])(
    'of a cluster that %s is kept until the step under way has ended, and its message gives it back',
    async (_, tags, cluster) => {
      const { fleet, permits, clock } = shared([])
      const it = hub({}, { permits, describe: async () => read({ state: { ...eksState, tags } } as never) })
      const permit = await permits.take(clusterKey(cluster))
      await permits.take('111122223333/eu-central-1/green')
      clock.now = it.clock += 30_000
      await it.look('event', { cluster })
      expect([fleet.budget.holders, it.looks]).toMatchObject([[{ cluster: clusterKey(cluster) }], []])
      clock.now = it.clock += 30_000
      await it.look('rollout', { cluster, ...(permit && { permit }) })
      expect(fleet.budget.holders).toEqual([])
      expect(it.looks).toMatchObject([{ message: { cluster: { name: 'green' }, reason: 'follow' } }])
    },
  )

  test.each(['DELETING', 'CREATING'])('of a cluster that is %s is given back before it is gone', async (status) => {
    const { fleet, permits } = shared([clusterKey(ref), '111122223333/eu-central-1/green'])
    const it = hub({}, { permits, describe: async () => read({ state: { ...eksState, status } } as never) })
    it.state = stateOf('unreachable')
    await it.look()
    expect(fleet.budget.holders).toEqual([])
    expect(it.looks).toMatchObject([{ message: { cluster: { name: 'green' } } }])
  })

  test('of an earlier cluster of the name is given back by its last message, and what the new one holds is not', async () => {
    const { fleet, permits } = shared([])
    const it = hub({}, { permits, describe: made('2026-11-20T09:00:00.000Z') })
    await permits.take(clusterKey(ref), '2026-11-01T00:00:00.000Z')
    await permits.take('111122223333/eu-central-1/green')
    await it.look('refused', { incarnation: '2026-11-01T00:00:00.000Z' })
    expect(fleet.budget.holders).toEqual([])
    expect(it.looks).toMatchObject([{ message: { cluster: { name: 'green' } } }])
    await it.look()
    const [holder] = fleet.budget.holders
    expect(holder).toMatchObject({ cluster: clusterKey(ref), incarnation: '2026-11-20T09:00:00.000Z' })
    await it.look('refused', { incarnation: '2026-11-01T00:00:00.000Z' })
    expect(fleet.budget.holders).toEqual([holder])
  })

  test('is not given back by a look that finds nothing to do while the message that begins may be under way', async () => {
    const { fleet, permits } = shared([])
    const it = hub({}, { permits })
    await it.look()
    it.state = { ...healthy(), cluster: ref }
    await it.look()
    expect(fleet.budget.holders).toMatchObject([{ cluster: clusterKey(ref) }])
    const record = valueOf(withRollout({ state: 'done' }).rollout)
    it.state = { ...it.state, rollout: read({ ...record, renewedAt: '2026-11-20T10:00:00Z' } as never) }
    await it.look()
    expect(fleet.budget.holders).toEqual([])
  })

  test('of a rollout whose begin was refused is given back at once: its message is over', async () => {
    const { fleet, permits } = shared([])
    const it = hub({}, { permits })
    await it.look()
    await permits.take('111122223333/eu-central-1/green')
    const [begun] = it.steps
    await it.look('refused', { missing: ['take the operator role of its account'], permit: begun?.permit })
    expect(fleet.budget.holders).toEqual([])
    expect(it.looks).toMatchObject([{ message: { cluster: { name: 'green' }, reason: 'follow' } }])
  })

  test.each([
    ['of a rollout that a tag stopped', withRollout({}), clusterKey(ref), 'rollout'],
    [
      'that a cluster may not use for its tag, because it was not its own',
      {},
      '111122223333/eu-central-1/red',
      'follow',
    ],
  ] as const)('%s is for the next one', async (_, rollout, holder, reason) => {
    const { fleet, permits } = shared([holder, '111122223333/eu-central-1/green'])
    if (holder !== clusterKey(ref)) fleet.budget = { ...fleet.budget, holders: [] }
    const describe = async () => read({ state: { ...eksState, tags: { [tag]: 'report' } } } as never)
    const it = hub({}, { permits, describe })
    it.state = stateOf(out, rollout)
    await it.look(reason)
    expect(fleet.budget.holders).toEqual([])
    expect(it.looks.map(({ message }) => message.cluster.name)).toContain('green')
  })

  test('is kept while calico-node is not there for a moment, as when its DaemonSet is made anew, and nobody hears of it', async () => {
    const { fleet, permits } = shared([clusterKey(ref)])
    const it = hub({}, { permits })
    it.state = stateOf('no calico', withRollout({}))
    const { budget } = fleet
    await it.look('rollout', { waits: 'm1', decided: 'd', permit: asked })
    expect([it.steps, it.notices, it.report, fleet.budget]).toEqual([[], [], undefined, budget])
    expect(it.looks).toMatchObject([
      { message: { reason: 'rollout', attempt: 1, waits: 'm1', decided: 'd', permit: asked }, delaySeconds: 5 },
    ])
    it.state = stateOf(out, withRollout({}))
    const [again] = it.looks
    await it.look('rollout', again?.message)
    expect([it.steps.length, it.notices.length]).toEqual([1, 1])
  })

  test('of a rollout in whose midst Calico was removed is for the next one after five minutes, and people hear of it', async () => {
    const { fleet, permits } = shared([clusterKey(ref), '111122223333/eu-central-1/green'])
    const it = hub({}, { permits })
    it.state = stateOf('no calico', withRollout({}))
    await it.look('rollout', { waits: 'm1', decided: 'd', attempt: passingLooks })
    expect([it.steps, fleet.budget.holders]).toEqual([[], []])
    expect(it.looks).toMatchObject([
      { message: { cluster: { name: 'green' } }, delaySeconds: 0 },
      { message: { cluster: ref, reason: 'follow', attempt: passingLooks }, delaySeconds: 900 },
    ])
    expect(it.notices.map(({ text }) => text)).toEqual([expect.stringContaining('calico-node was removed')])
  })

  describe('of a halted rollout', () => {
    const halted: Partial<Rollout> = { state: 'halted', reason: 'n1 did not come back', rollback: ['node-0001'] }
    const look = async (rollout: Partial<Rollout>) => {
      const { fleet, permits } = shared([clusterKey(ref)])
      const it = hub({}, { permits })
      it.state = stateOf(out)
      await it.look()
      it.clock += 3_600_000
      const observedAt = new Date(it.clock).toISOString()
      it.state = stateOf('no calico', { ...withRollout({ ...rollout, startedAt: '2026-11-20T07:00:00Z' }), observedAt })
      await it.look('follow', { attempt: passingLooks })
      return { it, fleet }
    }

    test('whose calico-node was removed is given back; what waits for it is looked for each quarter of an hour, and told', async () => {
      const { it, fleet } = await look(halted)
      expect([it.steps.length, fleet.budget.holders]).toEqual([1, []])
      expect(it.looks.at(-1)).toMatchObject({ message: { cluster: ref, reason: 'follow' }, delaySeconds: 900 })
      expect(it.notices.map(({ subject }) => subject).slice(1)).toEqual([
        '[critical] blue (111122223333 eu-central-1): rollout halted',
      ])
      const { text = '' } = it.notices[1] ?? {}
      expect(text).toContain('What it wrote is not all undone yet, for calico-node was removed from the cluster.')
      expect(text).toContain('calico-ipvs-sync rollout abort')
      expect(text).not.toContain('calico-ipvs-sync sync')
    })

    test('is not told as one whose calico-node was removed where a list contains no DaemonSet at all', async () => {
      const it = hub()
      const { rollout } = withRollout({ ...halted, startedAt: '2026-11-20T07:00:00Z' })
      it.state = stateOf('no calico', { ...(rollout && { rollout }), daemonSets: read([]) })
      await it.look('refused')
      const [{ text } = { text: '' }] = it.notices
      expect(text).toContain('What it wrote is not all undone yet. A person must act.')
      expect(text).toContain('calico-ipvs-sync sync')
      expect(text).not.toContain('was removed')
    })

    test('that has nothing to undo is not said to be in step where calico-node was removed', async () => {
      const { rollback: _rollback, ...undone } = halted
      const { it } = await look(undone)
      expect(it.notices.map(({ subject }) => subject).slice(1)).toEqual([
        '[critical] blue (111122223333 eu-central-1): rollout halted',
      ])
    })
  })

  test('is kept by an abort where Calico was removed, which removes its overrides, or ends where there are none', async () => {
    const unread = failed<never>({
      kind: 'unavailable',
      object: 'FelixConfigurations',
      status: 404,
      message: 'no CRDs',
    })
    for (const felix of [{}, { felix: unread }]) {
      const { fleet, permits } = shared([clusterKey(ref)])
      const it = hub({}, { permits })
      it.state = stateOf('no calico', { ...withRollout({ state: 'aborting' }), ...felix })
      await it.look('rollout', { waits: 'm1' })
      expect([it.steps.length, fleet.budget.holders.length, it.notices.length]).toEqual([1, 1, 0])
    }
  })

  const green = '111122223333/eu-central-1/green'
  const asked: Permit = { token: 1, until: '2026-11-20T10:05:00.000Z' }
  const busy = failed<never>({ kind: 'unavailable', object: 'Nodes', message: '503' })
  const updating = (rollout = {}) =>
    stateOf(out, { eks: read({ ...valueOf(stateOf(out).eks), status: 'UPDATING' } as never), ...rollout })
  const undoing = withRollout({ state: 'halted', rollback: ['node-0001'] })
  const wokenNext = ({ looks }: { looks: { message: Evaluation }[] }) =>
    looks.some(({ message }) => clusterKey(message.cluster) === green)

  test.each([
    ['cannot be reached', stateOf('unreachable'), {}],
    ['is being changed', updating(), {}],
    ['does not answer for a moment', stateOf(out, { nodes: busy }), {}],
    ['is excepted', stateOf(out), { exceptions: [exception] }],
    ['has an owner', stateOf(`${out}, owner argocd`), {}],
  ] as const)('has room for the next one at once where the cluster whose turn it is %s', async (_, state, policy) => {
    const { fleet, permits } = shared([])
    fleet.budget = { ...emptyBudget, waiting: [green] }
    const it = hub(policy, { permits })
    it.state = state
    await it.look('follow', { cause: 'the fleet budget has room' })
    expect([wokenNext(it), it.steps]).toEqual([true, []])
  })

  const unreadLease = failed<never>({ kind: 'unavailable', object: 'Lease', message: '503' })
  test.each([
    ['an event', stateOf(out, { nodes: busy }), { reason: 'event' }],
    ['an event, and its Lease', stateOf(out, { rollout: unreadLease }), { reason: 'event' }],
    ['its next evaluation', stateOf(out, { nodes: busy }), { reason: 'follow', attempt: 1 }],
    ['its next evaluation, and its Lease', stateOf(out, { rollout: unreadLease }), { reason: 'follow', attempt: 1 }],
    ['a step without a permit', stateOf(out, { nodes: busy }), { reason: 'rollout', decided: 'd' }],
  ] as const)('keeps the place of a waiting cluster that does not answer for a moment: %s', async (_, state, about) => {
    const { fleet, permits } = shared([])
    // The next one was woken, and has not asked yet.
    fleet.budget = { ...emptyBudget, waiting: [clusterKey(ref), green] }
    const it = hub({}, { permits })
    it.state = state
    await it.look(about.reason, about)
    expect([fleet.budget.waiting, wokenNext(it)]).toEqual([[clusterKey(ref), green], false])
  })

  test.each([
    ['is being aborted', 'aborting', deploymentHolder, true],
    ['is being changed at a terminal', 'running', 'alice', true],
    ['goes on by its own messages, which take the room', 'running', deploymentHolder, false],
  ] as const)('and the next one, where the cluster whose turn it was %s', async (_, state, holder, isNext) => {
    const { fleet, permits } = shared([])
    fleet.budget = { ...emptyBudget, waiting: [green] }
    const it = hub({}, { permits })
    const record = valueOf(withRollout({ state }).rollout)
    it.state = stateOf(out, { rollout: read({ ...record, holder, renewedAt: '2026-11-20T09:59:55Z' } as never) })
    await it.look('event')
    expect(wokenNext(it)).toBe(false)
    await it.look('follow', { cause: 'the fleet budget has room' })
    expect([wokenNext(it), it.steps]).toEqual([isNext, []])
  })

  test.each([
    ['cannot be reached before it begins', stateOf('unreachable'), {}, 'rollout'],
    ['is being changed before it begins', updating(), {}, 'rollout'],
    ['is being changed when its begin was refused', updating(), {}, 'refused'],
    ['is being changed, and by somebody at a terminal', updating(withRollout({})), {}, 'refused'],
    ['is excepted in the middle', stateOf(out, withRollout({})), { exceptions: [exception] }, 'rollout'],
    ['gets an owner in the middle', stateOf(`${out}, owner argocd`, withRollout({})), {}, 'rollout'],
    ['is changed by somebody at a terminal', stateOf(out, withRollout({})), {}, 'refused'],
    ['is paused', stateOf(out, withRollout({ state: 'paused' })), {}, 'rollout'],
    ['is being changed when its step became a dead letter', updating(withRollout({})), {}, 'refused'],
    ['is aborted by a step that became a dead letter', stateOf(out, withRollout({ state: 'aborting' })), {}, 'refused'],
    ['halted, and whose step to undo that became a dead letter', stateOf(out, undoing), {}, 'refused'],
    ['is being changed when its rollout is done', updating(withRollout({ state: 'done' })), {}, 'event'],
    ['is being changed when its rollout halted', updating(withRollout({ state: 'halted' })), {}, 'event'],
    ['cannot be reached when its rollout is done', stateOf('unreachable'), {}, 'event'],
    [
      'may only be reported when its rollout is done',
      stateOf('nothing', withRollout({ state: 'done' })),
      { limit: 'report' },
      'event',
    ],
    ['may only be reported before its rollout begins', stateOf(out), { limit: 'report' }, 'rollout'],
  ] as const)('is given back at once by the message that had the permit, of a cluster that %s', async (...given) => {
    const [, state, policy, reason] = given
    const { fleet, permits } = shared([])
    await permits.take(clusterKey(ref))
    await permits.take(green)
    const it = hub(policy, { permits })
    it.state = state
    await it.look(reason, { permit: asked })
    expect([fleet.budget.holders, wokenNext(it), it.steps]).toEqual([[], true, []])
  })

  test.each([
    ['is being changed', updating(withRollout({})), { decided: 'd' }],
    ['cannot be reached', stateOf('unreachable'), { decided: 'd' }],
    ['is being changed, in an abort', updating(withRollout({ state: 'aborting' })), {}],
  ])(
    'is kept in the middle of a rollout for the minutes in which it may pass that the cluster %s',
    async (_, state, decision) => {
      const { fleet, permits } = shared([])
      await permits.take(clusterKey(ref))
      await permits.take(green)
      const it = hub({}, { permits })
      it.state = state
      const about = { waits: 'm1', ...decision, permit: asked }
      await it.look('rollout', about)
      expect([fleet.budget.holders.length, it.looks]).toMatchObject([1, [{ message: { reason: 'rollout', ...about } }]])
      await it.look('rollout', { ...about, attempt: 6 })
      expect([fleet.budget.holders, wokenNext(it)]).toEqual([[], true])
    },
  )

  const byMessages = (over = {}, rollout: Parameters<typeof withRollout>[0] = {}) => {
    const record = valueOf(withRollout(rollout).rollout)
    const renewedAt = '2026-11-20T09:59:55Z'
    return { rollout: read({ ...record, holder: deploymentHolder, renewedAt } as never), ...over }
  }
  test.each([
    ['goes on', stateOf(out, byMessages())],
    ['is aborted and goes on', stateOf(out, byMessages({}, { state: 'aborting' }))],
    ['goes on while EKS changes the cluster', updating(byMessages())],
    ['goes on in a cluster that does not answer for a moment', stateOf(out, byMessages({ nodes: busy }))],
    ['cannot be seen', stateOf(out, { rollout: unreadLease })],
  ])('is kept where one message is refused and the rollout %s: another may use the permit', async (_, state) => {
    const { fleet, permits, clock } = shared([])
    const it = hub({}, { permits })
    const [one, other] = [await permits.take(clusterKey(ref)), await permits.take(clusterKey(ref))]
    await permits.take(green)
    it.state = state
    const isHeld = () => fleet.budget.holders.some(({ cluster }) => cluster === clusterKey(ref))
    const about = { cause: 'something forbids it', permit: other! }
    expect(one).toEqual(other)
    await it.look('refused', { ...about, missing: ['patch leases'] })
    expect([isHeld(), wokenNext(it)]).toEqual([true, false])
    const later = it.looks.filter(({ message }) => message.permit)
    expect(later).toMatchObject([{ message: { reason: 'refused', cluster: ref, ...about }, delaySeconds: 300 }])
    expect(later[0]?.message).not.toHaveProperty('missing')
    // None may use it any more.
    it.clock += 300_000
    clock.now = it.clock
    it.state = { ...it.state, observedAt: new Date(it.clock).toISOString() }
    await it.look('refused', about)
    expect([isHeld(), wokenNext(it)]).toEqual([false, true])
    expect(it.looks.filter(({ message }) => message.permit)).toHaveLength(1)
  })

  test('is given back when the message of the rollout finds it paused, and one step without it gives up the Lease', async () => {
    const { fleet, permits } = shared([])
    await permits.take(clusterKey(ref))
    await permits.take(green)
    const it = hub({}, { permits })
    it.state = stateOf(out, byMessages({}, { state: 'paused' }))
    for (const reason of ['event', 'follow', 'sweep', 'refused'] as const) await it.look(reason)
    expect(it.steps).toEqual([])
    await it.look('rollout', { waits: 'm1', decided: 'd', permit: asked })
    const step = { schemaVersion: 1, cluster: ref, begin: false }
    expect([it.steps, fleet.budget.holders, wokenNext(it)]).toEqual([[step], [], true])
  })

  test('is not waited for any more when the message of the rollout finds it paused, and one step gives up the Lease', async () => {
    const { fleet, permits } = shared([green])
    fleet.budget = { ...fleet.budget, waiting: [clusterKey(ref)] }
    const it = hub({}, { permits })
    const paused = byMessages({}, { state: 'paused' })
    const step = { schemaVersion: 1, cluster: ref, begin: false }
    const record = valueOf(withRollout({ state: 'paused' }).rollout)
    it.state = stateOf(out, { rollout: read({ ...record, holder: 'alice' } as never) })
    await it.look('rollout', { waits: 'm1', decided: 'd' })
    expect([it.steps, fleet.budget.waiting]).toEqual([[], []])
    it.state = stateOf(out, paused)
    await it.look('rollout', { waits: 'm1', decided: 'd' })
    expect([it.steps, it.looks]).toEqual([[step], []])
    // That leads to no evaluation: the one after an update is asked for all the same.
    it.state = updating(byMessages({ nodes: busy }, { state: 'paused' }))
    await it.look('rollout', { waits: 'm1', decided: 'd', attempt: passingLooks })
    expect([it.steps, it.looks]).toMatchObject([[step, step], [{ message: { reason: 'follow' }, delaySeconds: 900 }]])
  })

  test('goes with an abort, whose end gives it back', async () => {
    const { fleet, permits } = shared([])
    await permits.take(clusterKey(ref))
    const it = hub({}, { permits })
    it.state = stateOf(out, withRollout({ state: 'aborting' }))
    await it.look('rollout', { permit: asked })
    expect(it.steps).toMatchObject([{ begin: false, permit: asked }])
    it.state = stateOf(out, withRollout({ state: 'aborted', finishedAt: '2026-11-20T10:00:00Z' }))
    await it.look('refused', { permit: asked })
    expect(fleet.budget.holders).toEqual([])
  })

  describe('in a long abort', () => {
    /** Its step's permit is of 10:00. */
    const longAfter = async (seconds: number, before: (fleet: { budget: FleetBudget }) => void = () => undefined) => {
      const { fleet, permits, clock } = shared([])
      await permits.take(clusterKey(ref))
      const it = hub({}, { permits })
      const at = (time: number, state: Partial<Rollout> = { state: 'aborting' }) => {
        it.clock = Date.parse('2026-11-20T10:00:00Z') + time * 1000
        clock.now = it.clock
        const observedAt = new Date(it.clock).toISOString()
        const record = valueOf(withRollout(state).rollout)
        const renewedAt = observedAt
        it.state = stateOf(out, {
          rollout: read({ ...record, holder: deploymentHolder, renewedAt } as never),
          observedAt,
        })
      }
      at(seconds)
      before(fleet)
      await it.look('rollout', { waits: 'm1', permit: asked })
      return { it, fleet, permits, at }
    }

    test('is renewed, so that the next cluster does not get it in its midst', async () => {
      const { it, fleet, permits, at } = await longAfter(1_500)
      expect(it.steps).toMatchObject([{ begin: false, permit: { token: 1, until: '2026-11-20T10:30:00.000Z' } }])
      at(3_000)
      expect(await permits.take(green)).toBeUndefined()
      expect(fleet.budget.holders).toMatchObject([{ cluster: clusterKey(ref) }])
    })

    test('is not given back by an earlier message of it that became a dead letter', async () => {
      const { it, fleet, at } = await longAfter(360)
      at(480)
      await it.look('refused', { permit: asked })
      expect(fleet.budget.holders).toMatchObject([{ cluster: clusterKey(ref) }])
    })

    test('is given back at its end', async () => {
      const { it, fleet, at } = await longAfter(1_500)
      const permit = it.steps[0]?.permit
      at(1_530, { state: 'aborted', finishedAt: '2026-11-20T10:25:30Z' })
      await it.look('refused', { ...(permit && { permit }) })
      expect(fleet.budget.holders).toEqual([])
    })

    test('does not hold it where another cluster has the place', async () => {
      const isTaken = (fleet: { budget: FleetBudget }) =>
        (fleet.budget = {
          version: 9,
          holders: [{ cluster: green, token: 9, until: '2026-11-20T11:30:00.000Z' }],
          waiting: [],
        })
      const { it } = await longAfter(1_900, isTaken)
      expect(it.steps).toMatchObject([{ begin: false, permit: asked }])
    })
  })

  test('is asked for again for a begin whose permit had expired', async () => {
    const { fleet, permits } = shared([])
    const it = hub({}, { permits })
    await it.look('rollout', { waits: 'm1', permit: { token: 1, until: '2026-11-20T10:00:30.000Z' } })
    expect(it.steps).toMatchObject([{ begin: true, permit: { until: '2026-11-20T10:05:00.000Z' } }])
    expect(fleet.budget.holders).toMatchObject([{ cluster: clusterKey(ref) }])
  })

  test('is given back by a look that finds nothing to do, and who waits is looked at', async () => {
    const { fleet, permits } = shared([clusterKey(ref), '111122223333/eu-central-1/green'])
    const it = hub({}, { permits })
    it.state = { ...healthy(), cluster: ref }
    await it.look()
    expect(fleet.budget.holders).toEqual([])
    expect(it.looks).toMatchObject([{ message: { cluster: { name: 'green' }, reason: 'follow' }, delaySeconds: 0 }])
  })
})

describe('access', () => {
  test('is asked for in full: every verb of a range, of restarts, and of the Lease', async () => {
    const needs = accessNeeded({
      intent: { target: '1:2', restart: [{} as never] },
      api: 'crd.projectcalico.org/v1',
      namespace: 'calico-system',
      record: undefined,
    })
    const { kube } = worldOf([]).tools
    const asked = await accessMissing({ ...kube, mayI: async () => read(false) }, needs)
    expect(asked).toEqual([
      'create leases.coordination.k8s.io in kube-system',
      'patch leases.coordination.k8s.io calico-ipvs-sync in kube-system',
      'create felixconfigurations.crd.projectcalico.org',
      'patch felixconfigurations.crd.projectcalico.org',
      'delete felixconfigurations.crd.projectcalico.org',
      'delete pods in calico-system',
    ])
    expect(await accessMissing({ ...kube, mayI: async () => read(true) }, needs)).toEqual([])
  })

  test('that is missing keeps a rollout from beginning, before the first write', async () => {
    const state = stateOf(out)
    const policy = policyWith({})
    const { tools } = worldOf([])
    const refused: string[] = []
    const kube = Object.fromEntries(
      Object.entries(tools.kube).map(([name, work]) => [
        name,
        /^(put|create|patch|delete)/.test(name) ? written(name) : work,
      ]),
    ) as unknown as typeof tools.kube
    function written(name: string) {
      return () => Promise.reject(new Error(`${name} was called`))
    }
    const mayI: typeof kube.mayI = async ({ verb }) => {
      refused.push(verb)
      return read(verb !== 'delete')
    }
    const look = { state, assessment: assess(state, policy) }
    expect(await beginRollout({ ...tools, kube: { ...kube, mayI } }, look, policy)).toEqual({
      begun: false,
      reason: 'refused',
      blockedBy: ['ACCESS_DENIED'],
      missing: [expect.stringMatching(/^delete felixconfigurations\./)],
      why: expect.stringMatching(/Nothing was written. Apply infra\/kubernetes\/rbac.yaml/),
    })
    expect(new Set(refused)).toEqual(new Set(['create', 'patch', 'delete']))
  })

  test('to the operator role of another account is said as what it is, with what to roll out', async () => {
    const it = hub()
    await it.look('refused', { missing: ['take the operator role of its account'] })
    const [found] =
      it.report?.findings.filter(({ code, subject }) => code === 'ACCESS_DENIED' && subject === 'rollout') ?? []
    expect(found).toMatchObject({
      message: expect.stringContaining(
        'STS does not allow calico-ipvs-sync to take the operator role of its account. Nothing was written.',
      ),
      remedy: expect.stringMatching(/Changes=yes, or name viewerRoleArn alone/),
    })
    expect(it.notices.at(-1)?.text).toContain('take the operator role of its account')
  })

  test('that was taken away in the middle of a rollout does not make each refusal the next try: the sweep tries again', async () => {
    const it = hub()
    it.state = stateOf(out, withRollout({}))
    const missing = ['patch felixconfigurations']
    await it.look('refused', { missing })
    expect(it.steps).toEqual([])
    await it.look('sweep')
    expect(it.steps).toMatchObject([{ begin: true }])
  })

  test('that is missing is told once with what to apply, and tried again by the sweep only', async () => {
    const it = hub()
    await it.look()
    expect(it.steps).toHaveLength(1)
    const missing = ['delete pods in calico-system']
    await it.look('refused', { missing })
    expect(it.notices.at(-1)?.text).toContain('ACCESS_DENIED: The cluster cannot be fixed')
    expect(it.notices.at(-1)?.text).toContain('delete pods in calico-system')
    expect(it.notices.at(-1)?.text).toContain('infra/kubernetes/rbac.yaml')
    await it.look()
    expect([it.steps.length, it.notices.length]).toEqual([1, 2])
    await it.look('sweep')
    await it.look('refused', { missing })
    expect([it.steps.length, it.notices.length]).toEqual([2, 2])
  })

  test.each([
    ['is being changed', stateOf('eks UPDATING')],
    ['does not answer', stateOf(out, { nodes: failed({ kind: 'unavailable', object: 'Nodes', message: '503' }) })],
  ])('that is missing is told afterwards where the cluster %s just then, if it is still wanted', async (_, state) => {
    const it = hub()
    it.state = state
    await it.look('refused', { missing: ['delete pods in calico-system'] })
    const { reason, ...about } = it.looks[0]!.message
    it.state = { ...healthy(), cluster: ref }
    await it.look(reason, about)
    expect(it.notices).toEqual([])
    it.state = stateOf(out)
    await it.look(reason, about)
    expect(it.notices.map(({ text }) => text)).toEqual([expect.stringContaining('delete pods in calico-system')])
    expect(it.steps).toEqual([])
  })
})
