import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { defaultPolicy, policyWith } from '../../shared/domain/policy/policy.ts'
import { read } from '../../shared/domain/read.ts'
import { changedAtKey, changeKey, overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { changeMark, isOurs, sealOf } from '../../shared/domain/rollout/marks.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { beginRollout } from '../../shared/workflows/rollout/begin.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { cluster } from '../domain/ingredients.ts'
import { calicoPod, calicoSet, felixObject, ranges, startRollout, worldOf, type World } from './world.ts'

const target = '20000:32767'

/** In the Lease, and decided by nobody here. */
const forge = (world: World, over: Partial<Rollout>): void => {
  startRollout(world, over)
  const { decided: _, ...others } = world.tools
  world.tools = { ...others, policy: defaultPolicy }
  delete world.lease?.holder
}

const strangers = (world: World) => {
  world.pods = [
    ...world.pods,
    calicoPod('n0', { name: 'coredns-1', uid: 'dns', daemonSet: 'replicas' }),
    calicoPod('n0', { name: 'kube-proxy-1', uid: 'proxy', daemonSet: 'kube-proxy' }),
  ].map((pod) => pod)
  const { daemonSet: _, ...bare } = calicoPod('n1', { name: 'bare', uid: 'bare' })
  world.pods.push(bare)
}

describe('a forged Lease', () => {
  test('restarts no pod: what was not decided here is looked at first', async () => {
    const world = worldOf(['n0', 'n1'])
    strangers(world)
    forge(world, {
      restart: world.pods.map(({ name }) => name),
      touching: [{ node: 'n0', pod: 'coredns-1', at: world.iso() }],
    })
    expect(await takeStep(world.tools)).toMatchObject({ next: 'look' })
    expect(world.podRestarts).toEqual([])
  })

  test('never has a pod deleted that calico-node’s DaemonSet does not own, even where it was decided', async () => {
    const world = worldOf(['n0', 'n1'])
    strangers(world)
    startRollout(world, { restart: world.pods.map(({ name }) => name) })
    for (let step = 0; step < 60; step += 1) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    expect(world.podRestarts.map(({ node }) => node)).toEqual(['n0', 'n1'])
    expect(world.pods.filter(({ uid }) => ['dns', 'proxy', 'bare'].includes(uid))).toHaveLength(3)
  })

  test('adds no pod to those that were to be restarted by saying that it was touched', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { restart: ['calico-node-n0'] })
    if (world.lease) world.lease.annotations['calico-ipvs-sync/touching'] = `n1=calico-node-n1=${world.iso()}`
    for (let step = 0; step < 20; step += 1) {
      const outcome = await takeStep(world.tools)
      if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
    }
    expect(world.podRestarts.map(({ node }) => node)).toEqual(['n0'])
  })

  test('is carried out by nobody: sync decides anew, and only what a look shows', async () => {
    const inStep = cluster('mode ipvs')
    for (const over of [
      { target: '1:65535' },
      { restart: ['calico-node-n0'] },
      { phase: 'restarts' as const, restart: ['calico-node-n0'] },
    ]) {
      const world = worldOf(['n0', 'n1'])
      forge(world, over)
      const look = async () => {
        const state = { ...inStep, observedAt: world.iso(), rollout: read(world.lease) }
        return { state, assessment: assess(state, defaultPolicy) }
      }
      const sleep = async (seconds: number) => void (world.clock += seconds * 1000)
      const tools = { ...world.tools, look, sleep, waiting: () => undefined, interrupted: () => false }
      expect(await sync(tools, defaultPolicy)).toMatchObject({ end: 'done' })
      expect([world.podRestarts, world.felixRestarts, [...world.objects.keys()]]).toEqual([[], [], ['default']])
      expect(soundRollout(world.lease, world.clock)).toMatchObject({ state: 'done', restart: [] })
    }
  })

  test.each([
    ['state', 'bogus'],
    ['pace', '{}'],
    ['pace', '{"strategy":"direct","maxUnavailable":1e9,"canarySeconds":-1,"settleSeconds":0,"nodeDeadlineSeconds":1}'],
    ['where', 'null'],
    ['where', '{"api":"v1"}'],
    ['target', '1:99999'],
    ['touching', 'n0'],
    ['started-at', 'yesterday'],
    ['started-at', '2099-01-01T00:00:00Z'],
    ['zones', '[1]'],
  ])('that says %s = %s is told and not acted upon', async (key, value) => {
    const world = worldOf(['n0', 'n1'])
    forge(world, { target })
    if (world.lease) world.lease.annotations[`calico-ipvs-sync/${key}`] = value
    expect(await takeStep(world.tools)).toMatchObject({ next: 'over', state: 'none' })
    const abort = await control(world.tools.kube, 'abort', { by: 'x', now: world.tools.now })
    expect(abort).toMatchObject({ changed: false, why: expect.stringContaining('cannot be parsed') })
    const state = { ...cluster('eks range 20000-22767'), observedAt: world.iso(), rollout: read(world.lease) }
    const assessment = assess(state, defaultPolicy)
    expect(assessment.report.findings.map(({ code }) => code)).toContain('ROLLOUT_STATE_INVALID')
    const begun = await beginRollout(world.tools, { state, assessment }, defaultPolicy)
    expect(begun).toMatchObject({ begun: false, blockedBy: ['ROLLOUT_STATE_INVALID'] })
    expect(world.felixRestarts).toEqual([])
  })

  test('hurries nobody beyond the policy of those who act', async () => {
    const world = worldOf(['n0', 'n1', 'n2', 'n3', 'n4'])
    startRollout(world, { target })
    const hurry = {
      strategy: 'direct',
      maxUnavailable: 100,
      canarySeconds: 0,
      settleSeconds: 0,
      nodeDeadlineSeconds: 9_999,
    }
    if (world.lease) world.lease.annotations['calico-ipvs-sync/pace'] = JSON.stringify(hurry)
    for (let step = 0; step < 8; step += 1) await takeStep(world.tools)
    expect(world.felixRestarts.map(({ node }) => node)).toEqual(['n0'])
  })

  test('has no log read but calico-node’s', async () => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    const pod = { namespace: 'kube-system', name: 'vault-0', ready: false, restarts: 0 }
    const evidence = { node: 'n0', reason: 'x', at: world.iso(), pod, pending: 'halt' }
    if (world.lease) world.lease.annotations['calico-ipvs-sync/evidence'] = JSON.stringify(evidence)
    const logs: string[] = []
    const podTail = async ({ name }: { name: string }) => {
      logs.push(name)
      return read([])
    }
    await takeStep({ ...world.tools, kube: { ...world.tools.kube, podTail } })
    expect(logs).toEqual([])
  })

  test('that another holds is waited for, and what was in it is not acted upon when it is let go', async () => {
    const world = worldOf(['n0'])
    forge(world, { restart: ['calico-node-n0'] })
    if (world.lease) world.lease = { ...world.lease, holder: 'another', renewedAt: world.iso() }
    const state = { ...cluster('mode ipvs'), observedAt: world.iso(), rollout: read(world.lease) }
    const begun = await beginRollout(world.tools, { state, assessment: assess(state, defaultPolicy) }, defaultPolicy)
    expect(begun).toMatchObject({ begun: true })
    expect(begun).not.toHaveProperty('decided')
  })

  test('says nothing while Calico has no one DaemonSet of its own', async () => {
    const world = worldOf(['n0'])
    startRollout(world, { restart: ['calico-node-n0'] })
    const daemonSets = async () => read([calicoSet, { ...calicoSet, uid: 'other', namespace: 'kube-system' }])
    const outcome = await takeStep({ ...world.tools, kube: { ...world.tools.kube, daemonSets } })
    expect(outcome).toMatchObject({ next: 'wait' })
    expect(world.podRestarts).toEqual([])
  })
})

const forgedMark = (name: string, spec: object = {}) =>
  felixObject(
    name,
    {
      [overrideKey]: 'created',
      [changedAtKey]: '2026-01-31T00:00:00Z',
      [changeKey]: JSON.stringify({ by: 'test', rollout: 'r1', seal: '0123456789abcdef' }),
    },
    spec,
  )

const toTheEnd = async (world: World, each: (world: World) => void = () => undefined) => {
  for (let step = 0; step < 300; step += 1) {
    const outcome = await takeStep(world.tools)
    each(world)
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

describe('our mark on an object that we did not make', () => {
  test('has nothing deleted or changed: neither default, nor a selector, nor a node’s own', async () => {
    const theirs = [
      forgedMark('default', { logSeverityScreen: 'Debug' }),
      forgedMark('workers', { nodeSelector: 'all()', logSeverityScreen: 'Info' }),
      forgedMark('node.n1', { logSeverityScreen: 'Info' }),
      forgedMark('node.gone', {}),
    ]
    const world = worldOf(['n0', 'n1', 'n2'], theirs)
    startRollout(world, { target })
    expect(await toTheEnd(world)).toMatchObject({ state: 'done' })
    expect([...world.objects.keys()].toSorted()).toEqual(['default', 'node.gone', 'node.n1', 'workers'])
    for (const it of theirs.slice(1)) expect(world.objects.get(it.name)).toEqual(it)
    expect(world.objects.get('default')?.spec).toMatchObject({ logSeverityScreen: 'Debug' })
    await control(world.tools.kube, 'abort')
  })

  test('and sealed as we seal, which anybody can compute, leaves default and a selector where they are', async () => {
    const sealed = (name: string, spec: object) => {
      const it = forgedMark(name, spec)
      const mark = changeMark(it)
      if (!mark) throw new Error('there is no mark')
      const seal = JSON.stringify({ ...mark, seal: sealOf(it, mark) })
      return { ...it, annotations: { ...it.annotations, [changeKey]: seal } }
    }
    const theirs = [sealed('default', { logSeverityScreen: 'Debug' }), sealed('workers', { nodeSelector: 'all()' })]
    expect([...theirs, sealed('node.n0', {})].map(isOurs)).toEqual([false, false, true])
    const world = worldOf(['n0', 'n1'], theirs)
    startRollout(world, { target, state: 'aborting' })
    expect(await toTheEnd(world)).toMatchObject({ state: 'aborted' })
    expect([...world.objects.values()]).toEqual(theirs)
  })

  test('begins no rollout', () => {
    for (const name of ['default', 'all-workers', 'node.node-0002']) {
      const state = cluster(`copied mark on ${name}`)
      const { report } = assess(state, defaultPolicy)
      expect(report).toMatchObject({ verdict: 'in-step' })
      const found = report.findings.find(({ code }) => code === 'ROLLOUT_STATE_INVALID')
      expect(found?.remedy).toContain(` annotate felixconfigurations.projectcalico.org ${name}`)
    }
  })

  test('an abort leaves it as it is', async () => {
    const world = worldOf(['n0', 'n1'], [felixObject('default'), forgedMark('node.n1', { x: 1 })])
    startRollout(world, { target, state: 'aborting' })
    expect(await toTheEnd(world)).toMatchObject({ state: 'aborted' })
    expect(world.objects.get('node.n1')).toEqual(forgedMark('node.n1', { x: 1 }))
  })
})

describe('an override of ours', () => {
  const edited = async (edit: (world: World) => void) => {
    const world = worldOf(['n0', 'n1'])
    startRollout(world, { target })
    let done = false
    const outcome = await toTheEnd(world, (it) => {
      if (done || !it.objects.has('node.n0')) return
      done = true
      edit(it)
    })
    return { world, outcome }
  }

  test('to which somebody added a setting is left, and everything else is finished', async () => {
    const { world, outcome } = await edited(({ objects }) => {
      const it = objects.get('node.n0') ?? felixObject('')
      objects.set('node.n0', { ...it, spec: { ...it.spec, logSeverityScreen: 'Debug' } })
    })
    expect(outcome).toMatchObject({ state: 'done' })
    expect([...world.objects.keys()]).toEqual(['default', 'node.n0'])
    expect([...ranges(world).values()]).toEqual([target, target])
  })

  test('that was copied to another name is left', async () => {
    const { world } = await edited(({ objects }) => {
      objects.set('node.other', { ...(objects.get('node.n0') ?? felixObject('')), name: 'node.other' })
    })
    expect([...world.objects.keys()].toSorted()).toEqual(['default', 'node.other'])
  })

  test.each(['no time', '2099-01-01T00:00:00Z', ''])(
    'whose changed-at says "%s" is not settled, and not for ever unsettled',
    async (at) => {
      const world = worldOf(['n0', 'n1'])
      startRollout(world, { target })
      await takeStep(world.tools)
      const it = world.objects.get('node.n0') ?? felixObject('')
      const time = world.iso()
      const managedFields = [{ manager: 'x', operation: 'Update', time, fields: {} }]
      world.objects.set('node.n0', { ...it, annotations: { ...it.annotations, [changedAtKey]: at }, managedFields })
      expect(isOurs(world.objects.get('node.n0') ?? it)).toBe(false)
      expect(await takeStep(world.tools)).toMatchObject({ next: 'wait' })
      expect(world.felixRestarts).toHaveLength(1)
      const begun = world.clock
      expect(await toTheEnd(world)).toMatchObject({ state: 'done' })
      expect(world.clock - begun).toBeLessThan(120_000)
      expect(world.objects.get('node.n0')?.annotations[rangeAnnotation]).toBe(target)
    },
  )
})

test('the policy of a deployment is not slowed down for ever either: a pace beyond all measure makes no sense', () => {
  const world = worldOf(['n0'])
  startRollout(world, { target, pace: { ...policyWith({}), settleSeconds: 1e9 } })
  expect(soundRollout(world.lease, world.clock)).toBeUndefined()
})
