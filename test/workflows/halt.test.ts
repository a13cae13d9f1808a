import { describe, expect, test } from '@jest/globals'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { haltDetails } from '../../shared/domain/rollout/halt-finding.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { overrideKey } from '../../shared/domain/rollout/annotations.ts'
import { read } from '../../shared/domain/read.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome, StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { calicoPod, quickPace, startRollout, type World, worldOf } from './world.ts'

const target = '20000:32767'
const told = (world: World): StepEvent[] => {
  const events: StepEvent[] = []
  world.tools = { ...world.tools, tell: (event) => events.push(event) }
  return events
}
const run = async (world: World, each: (world: World) => void = () => undefined, most = 9): Promise<Outcome> => {
  for (let step = 0; step < 300; step += 1) {
    const before = world.calls
    const outcome = await takeStep(world.tools)
    expect(world.calls - before).toBeLessThanOrEqual(most)
    each(world)
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}
const rolloutIn = (world: World) => soundRollout(world.lease, Infinity) as Rollout
const crashing = (world: World, node: string) => {
  world.pods = world.pods.map((pod) =>
    pod.node === node && !pod.ready ? { ...pod, waiting: 'CrashLoopBackOff', restartCount: 7 } : pod,
  )
}

/** The pods as the API server has them where Felix does not come back on some nodes: their kubelets take three probes to say so. */
const slowlyTold = (world: World, sick: string[]) => {
  const felixEndsAfter = 2
  const probes = 3 * 10
  return async () =>
    read(
      world.pods.map((pod) => {
        const written = world.felixRestarts.find(({ node }) => node === pod.node)?.at
        if (written === undefined || !sick.includes(pod.node)) return pod
        const toldAt = written + (felixEndsAfter + probes + 1) * 1000
        return world.clock < toldAt ? pod : { ...pod, ready: false, readySince: new Date(toldAt).toISOString() }
      }),
    )
}

describe('a node that does not come back', () => {
  const halted = async (tail: string[] = ['panic: no such mark']) => {
    const world = worldOf(['n0', 'n1', 'n2'])
    world.broken.add('n0')
    const events = told(world)
    world.tools = { ...world.tools, kube: { ...world.tools.kube, podTail: async () => read(tail) } }
    startRollout(world, { target })
    const outcome = await run(world, (it) => crashing(it, 'n0'))
    return { world, events, outcome }
  }

  test('leaves in the Lease what was written and when, its pod, its node and the end of its log', async () => {
    const { world } = await halted()
    const { evidence } = rolloutIn(world)
    expect(evidence).toMatchObject({
      node: 'n0',
      reason: expect.stringContaining('CrashLoopBackOff, 7 restarts'),
      pod: { name: 'calico-node-n0', ready: false, waiting: 'CrashLoopBackOff', restarts: 7 },
      wrote: { object: 'FelixConfiguration/node.n0', value: target, at: '2026-02-01T12:00:00.000Z' },
      kubelet: 'Ready',
      log: ['panic: no such mark'],
    })
    expect(world.lease?.annotations['calico-ipvs-sync/evidence']).toContain('\n "log": [\n  "panic: no such mark"\n ]')
  })

  // As tokens of GitLab and of kubeadm look.
  test.each(['glasgow-worker-node-01', 'rack01.0123456789abcdef'])(
    'halts it also where its name looks like a secret: %s',
    async (node) => {
      const world = worldOf(['n0', node])
      world.broken.add(node)
      startRollout(world, { target, canary: 'n0' })
      expect(await run(world)).toMatchObject({ state: 'halted' })
      const { evidence, rollback, journal } = rolloutIn(world)
      expect([evidence, rollback]).toMatchObject([
        { node, pod: { name: `calico-node-${node}` }, kubelet: 'Ready', takenBackAt: expect.any(String) },
        undefined,
      ])
      expect(world.objects.has(`node.${node}`)).toBe(false)
      expect(journal?.entries.map(({ object }) => object)).toContain(`FelixConfiguration/node.${node}`)
    },
  )

  test('is told once, with the evidence, after the log was read and before the override goes', async () => {
    const { events } = await halted()
    const whats = events.map(({ what }) => what)
    expect(whats).toEqual(['override written', 'rollout halted', 'override taken back'])
    expect(events[1]).toMatchObject({ node: 'n0', rollout: 'r1', by: 'test' })
    expect(events[1]?.evidence).toContain('log: panic: no such mark')
  })

  test('is looked at again when it has had the time to come back', async () => {
    const { outcome } = await halted()
    expect(outcome).toMatchObject({ next: 'over', state: 'halted', recheckAfterSeconds: 10 })
  })

  test('the finding says whether the override’s removal brought it back', async () => {
    const { world } = await halted()
    const { evidence } = rolloutIn(world)
    const about = (pods = world.pods) => haltDetails(evidence, { pods, object: 'Lease/x', field: 'f' })
    expect(about().text).toContain('but its calico-node is not Ready yet')
    expect(about(world.pods.map((pod) => ({ ...pod, ready: true }))).text).toContain('its calico-node is Ready again')
    expect(about().evidence.map(({ value }) => value)).toContain('log: panic: no such mark')
  })

  test('no secret of its log is kept, and not more than a few short lines', async () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
    const secrets = [
      `Authorization: Bearer ${token}`,
      'ETCD_PASSWORD=hunter2 x',
      'key AKIAABCDEFGHIJKLMNOP',
      'x'.repeat(5000),
    ]
    const { world } = await halted([...Array.from({ length: 30 }, (_, line) => `line ${line}`), ...secrets])
    const text = world.lease?.annotations['calico-ipvs-sync/evidence'] ?? ''
    for (const secret of [token, 'hunter2', 'AKIAABCDEFGHIJKLMNOP']) expect(text).not.toContain(secret)
    expect(text.length).toBeLessThan(5_000)
    expect(text).toContain('line 29')
    expect(text).not.toContain('line 3"')
  })

  test('says why it ended, not where it was when it did', async () => {
    const reason =
      '[PANIC][973] felix/driver.go 141: Not enough mark bits available for endpoint mark. MarkMask=0xf0000'
    const frame = (nth: number) => [
      `github.com/x/felix.(*T).f${nth}({0x7ffe, 0xc}, ...)`,
      `\tfelix/file.go:${nth} +0x2253`,
    ]
    const frames = Array.from({ length: 12 }, (_, nth) => frame(nth)).flat()
    const { world } = await halted([reason, 'panic: (*logrus.Entry) 0x3cb', '', 'goroutine 1 [running]:', ...frames])
    expect(rolloutIn(world).evidence?.log).toEqual([reason])
  })

  test('halts all the same where its log may not be read', async () => {
    const world = worldOf(['n0', 'n1'])
    world.broken.add('n0')
    const failure = { kind: 'denied', object: 'log', message: '403' } as const
    world.tools = { ...world.tools, kube: { ...world.tools.kube, podTail: async () => ({ failure }) } }
    startRollout(world, { target })
    expect(await run(world)).toMatchObject({ state: 'halted' })
    expect([...world.objects.values()].some(({ annotations }) => annotations[overrideKey])).toBe(false)
  })

  test.each([
    ['the first node', 'n0', ['n0']],
    ['a later node', 'n1', ['n0', 'n1']],
  ])(
    '%s is found out at the usual pace before another is touched, though its kubelet takes three probes to say so',
    async (_, sick, touched) => {
      const world = worldOf(['n0', 'n1', 'n2'])
      const { strategy, maxUnavailable, canarySeconds, settleSeconds, nodeDeadlineSeconds } = defaultPolicy
      startRollout(world, {
        target,
        pace: { strategy, maxUnavailable, canarySeconds, settleSeconds, nodeDeadlineSeconds },
      })
      world.tools = { ...world.tools, kube: { ...world.tools.kube, pods: slowlyTold(world, [sick]) } }
      expect(await run(world)).toMatchObject({ state: 'halted' })
      expect(new Set(world.felixRestarts.map(({ node }) => node))).toEqual(new Set(touched))
    },
  )

  test('beside another of its wave has our overrides taken off both, one a step, and nobody else is touched', async () => {
    const world = worldOf(['n0', 'n1', 'n2', 'n3', 'n4'])
    const events = told(world)
    startRollout(world, { target, pace: { ...defaultPolicy, maxUnavailable: 3 } })
    world.tools = { ...world.tools, kube: { ...world.tools.kube, pods: slowlyTold(world, ['n1', 'n3']) } }
    expect(await run(world)).toMatchObject({ state: 'halted', recheckAfterSeconds: defaultPolicy.settleSeconds })
    const rolledBack = events.filter(({ what }) => what === 'override taken back').map(({ node }) => node)
    expect(rolledBack).toEqual(['n1', 'n3'])
    expect([...world.objects.keys()].toSorted()).toEqual(['default', 'node.n0', 'node.n2'])
    const { evidence, rollback } = rolloutIn(world)
    expect({ node: evidence?.node, beside: evidence?.beside, rollback }).toEqual({ node: 'n1', beside: ['n3'] })
  })

  test('because somebody wrote into its override what Felix refuses is told, and it stays: it holds more than we wrote', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    const outcome = await run(world, ({ objects }) => {
      const override = objects.get('node.n0')
      if (override) objects.set('node.n0', { ...override, spec: { ...override.spec, iptablesMarkMask: 0x10000 } })
    })
    expect(outcome).toMatchObject({
      state: 'halted',
      why: expect.stringMatching(/^Felix would reject.*MarkMask.*node\.n0/),
    })
    expect(world.objects.get('node.n0')?.spec).toMatchObject({ iptablesMarkMask: 0x10000 })
    expect([...world.objects.keys()]).toEqual(['default', 'node.n0'])
    expect(world.clock - Date.parse('2026-02-01T12:00:00Z')).toBeLessThan(60_000)
  })

  test('what Felix refuses elsewhere halts it, and our overrides stay as they are', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target })
    const outcome = await run(world, ({ objects }) => {
      const base = objects.get('default')
      if (base && objects.has('node.n0')) objects.set('default', { ...base, spec: { iptablesMarkMask: 0x10000 } })
    })
    expect(outcome).toMatchObject({ state: 'halted' })
    expect([...world.objects.keys()].toSorted()).toEqual(['default', 'node.n0'])
  })

  test('because it has left the cluster halts nothing', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    world.broken.add('n0')
    startRollout(world, { target })
    const { nodes } = world.tools.kube
    world.tools = {
      ...world.tools,
      kube: {
        ...world.tools.kube,
        nodes: async () => {
          const answer = await nodes()
          // Its pod is still listed for a while.
          world.pods = world.pods.filter(({ node }) => node !== 'n0')
          return 'value' in answer ? read(answer.value.filter(({ name }) => name !== 'n0')) : answer
        },
      },
    }
    // Where a touched node has no pod, the nodes are asked for as well.
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(rolloutIn(world)).not.toHaveProperty('evidence')
  })

  test('what was kept goes when the rollout is resumed', async () => {
    const { world } = await halted()
    world.pods = world.pods.map((pod) => ({ ...pod, ready: true, readySince: world.iso() }))
    await control(world.tools.kube, 'resume')
    expect(world.lease?.annotations).not.toHaveProperty('calico-ipvs-sync/evidence')
  })

  test('after a restart: the pod that was deleted and the one that does not come up are both named', async () => {
    const world = worldOf(['n0', 'n1'])
    world.broken.add('n0')
    startRollout(world, { restart: world.pods.map(({ name }) => name) })
    expect(await run(world)).toMatchObject({ state: 'halted' })
    expect(rolloutIn(world).evidence).toMatchObject({
      wrote: { object: 'Pod/calico-system/calico-node-n0' },
      pod: { name: 'calico-node-n0-again', ready: false },
    })
    expect(world.podRestarts).toHaveLength(1)
  })
})

describe('nodes in flight', () => {
  const zones = { a: ['n0', 'n3', 'n6'], b: ['n1', 'n4', 'n7'], c: ['n2', 'n5', 'n8'] }
  const pace = { ...quickPace, maxUnavailable: 3 } as const
  const nodes = Array.from({ length: 9 }, (_, index) => `n${index}`)
  const zoneOf = (node: string) => Object.entries(zones).find(([, members]) => members.includes(node))?.[0]
  const isTogether = (restarts: World['felixRestarts']) =>
    restarts.every(({ at, node }) =>
      restarts.every((it) => Math.abs(it.at - at) >= 10_000 || zoneOf(it.node) === zoneOf(node)),
    )

  test('are always of one zone, and a zone is finished before the next is begun', async () => {
    const world = worldOf(nodes)
    startRollout(world, { target, pace, zones, canary: 'n4' })
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(isTogether(world.felixRestarts)).toBe(true)
    expect(world.felixRestarts.map(({ node }) => zoneOf(node)).join('')).toBe('bbbaaaccc')
  })

  test('so it is with restarts of pods', async () => {
    const world = worldOf(nodes)
    startRollout(world, { restart: world.pods.map(({ name }) => name), pace, zones })
    expect(await run(world)).toMatchObject({ state: 'done' })
    expect(isTogether(world.podRestarts)).toBe(true)
    expect(world.podRestarts.map(({ node }) => zoneOf(node)).join('')).toBe('aaabbbccc')
  })

  test('that joined after the beginning are a zone of their own', async () => {
    const world = worldOf(nodes)
    startRollout(world, { target, pace, zones })
    await run(world, (it) => {
      if (it.felixRestarts.length === 1 && it.pods.length === 9) it.pods.push(calicoPod('new'))
    })
    expect(isTogether(world.felixRestarts)).toBe(true)
    expect(world.felixRestarts).toHaveLength(10)
  })
})
