import { describe, expect, test } from '@jest/globals'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { KubeError } from '../../shared/errors.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { release } from '../../shared/workflows/rollout/lease.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { Outcome } from '../../shared/workflows/rollout/tools.ts'
import { felixObject, quickPace, ranges, startRollout, type World, worldOf } from './world.ts'

const target = '20000:32767'
const pace = quickPace
const restartedNodes = ({ felixRestarts }: World) => felixRestarts.map(({ node }) => node)

const toTheEnd = async (world: World): Promise<Outcome> => {
  for (let step = 0; step < 60; step += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'over') return outcome
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
  throw new Error('the rollout does not come to an end')
}

const speaker = ({ tools: { now } }: World) => ({ by: 'alice', now })
const noRollout = 'There is no rollout in this cluster.'

describe('what changes in the middle of a rollout', () => {
  test('its target: a node that was just given the earlier one is waited for before another is touched', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target, pace, canary: 'n0' })
    await takeStep(world.tools)
    expect(restartedNodes(world)).toEqual(['n0'])
    startRollout(world, { id: 'r2', target: '21000:32767', pace, canary: 'n1' })
    expect(await takeStep(world.tools)).toMatchObject({ next: 'wait', seconds: 30 })
    expect(restartedNodes(world)).toEqual(['n0'])
    expect(await toTheEnd(world)).toMatchObject({ state: 'done' })
    expect(new Set(ranges(world).values())).toEqual(new Set(['21000:32767']))
  })

  test('its target, and the node with the earlier one does not come back: it halts because of that node', async () => {
    const world = worldOf(['n0', 'n1', 'n2'])
    world.broken.add('n0')
    startRollout(world, { target, pace, canary: 'n0' })
    await takeStep(world.tools)
    startRollout(world, { id: 'r2', target: '21000:32767', pace, canary: 'n1' })
    expect(await toTheEnd(world)).toMatchObject({ state: 'halted', why: expect.stringContaining('n0') })
    expect(restartedNodes(world).filter((node) => node !== 'n0')).toEqual([])
    expect(world.objects.has('node.n0')).toBe(false)
  })

  test('restarts become a range: a pod that was deleted is waited for, and halts it where it does not come back', async () => {
    for (const isBroken of [false, true]) {
      const world = worldOf(['n0', 'n1', 'n2'])
      if (isBroken) world.broken.add('n0')
      const restart = world.pods.map(({ name }) => name)
      startRollout(world, { restart, pace, canary: 'n0' })
      await takeStep(world.tools)
      expect(world.podRestarts).toMatchObject([{ node: 'n0' }])
      const touching = [{ node: 'n0', pod: restart[0] ?? '', at: world.iso() }]
      startRollout(world, { id: 'r2', target, pace, canary: 'n1', restart: restart.slice(1), touching })
      expect(await takeStep(world.tools)).toMatchObject({ next: 'wait' })
      expect(restartedNodes(world)).toEqual([])
      expect(await toTheEnd(world)).toMatchObject({ state: isBroken ? 'halted' : 'done' })
      expect(restartedNodes(world).length).toBe(isBroken ? 0 : 3)
    }
  })

  const copy = JSON.stringify({ annotations: { [rangeAnnotation]: '31000:32000' } })
  test.each([
    ['annotation', felixObject('node.n2', { [rangeAnnotation]: '31000:32000' })],
    ['annotation in another spelling', felixObject('node.n2', { [rangeAnnotation.toLowerCase()]: '31000:32000' })],
    ["copy of Calico's API server", felixObject('node.n2', { 'projectcalico.org/metadata': copy })],
    ['field', felixObject('node.n2', {}, { kubeNodePortRanges: ['31000:32000'] })],
  ])('a node gets a range of its own from somebody, as %s: it is kept', async (_, theirs) => {
    const world = worldOf(['n0', 'n1', 'n2'])
    startRollout(world, { target, pace, canary: 'n0' })
    await takeStep(world.tools)
    world.objects.set(theirs.name, theirs)
    expect(await toTheEnd(world)).toMatchObject({ state: 'done' })
    expect(world.objects.get('node.n2')).toEqual(theirs)
    expect(ranges(world).get('n1')).toBe(target)
  })

  test.each(['patchFelix', 'putLease'] as const)(
    'what %s is to change was deleted since it was read: it is looked at again',
    async (method) => {
      const world = worldOf(['n0'])
      startRollout(world, { target, pace: { ...pace, strategy: 'direct' } })
      const gone = () => Promise.reject(new KubeError('not-found', 'not found', { status: 404 }))
      const outcome = await takeStep({ ...world.tools, kube: { ...world.tools.kube, [method]: gone } })
      expect(outcome).toMatchObject({ next: 'wait', seconds: 1 })
    },
  )

  test.each(['pause', 'abort', 'release'] as const)(
    'the Lease is deleted in the moment of a %s: it is looked at again, and there is none',
    async (act) => {
      const world = worldOf(['n0'])
      startRollout(world, { target, pace })
      const putLease = () => {
        world.lease = undefined
        return Promise.reject(new KubeError('not-found', 'not found', { status: 404 }))
      }
      const kube = { ...world.tools.kube, putLease }
      const answer = act === 'release' ? release({ ...world.tools, kube }) : control(kube, act, speaker(world))
      expect(await answer).toEqual(act === 'release' ? undefined : { changed: false, why: noRollout })
    },
  )
})
