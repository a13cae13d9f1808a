import { expect, test } from '@jest/globals'
import { read } from '../../shared/domain/read.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { KubeError } from '../../shared/errors.ts'
import { tryFirstWrite } from '../../shared/workflows/rollout/first-write.ts'
import { felixObject, quickPace, startRollout, type World, worldOf } from './world.ts'

const target = '20000:32767'
const stateOf = (world: World) => ({
  felix: read({ api: 'crd.projectcalico.org/v1' as const, objects: [...world.objects.values()] }),
  pods: read(world.pods),
})
const begun = (world: World, strategy: Rollout['pace']['strategy']): Rollout => {
  const pace = { ...quickPace, strategy }
  startRollout(world, { target, pace })
  return soundRollout(world.lease, Infinity) as Rollout
}

test.each([
  ['staged', felixObject('default'), 'createFelix'],
  ['staged', felixObject('node.n0'), 'patchFelix'],
  ['direct', felixObject('default'), 'patchFelix'],
] as const)(
  '%s with %j there: the server is asked about the very write that comes first',
  async (strategy, object, write) => {
    const world = worldOf(['n0'], [object])
    const rollout = begun(world, strategy)
    await tryFirstWrite(world.tools, rollout, stateOf(world))
    expect([world.calls, world.felixRestarts, world.objects.size]).toEqual([1, [], 1])
    expect(world.objects.get(object.name)).toEqual(object)
    const refusing = () => Promise.reject(new KubeError('invalid', '422: no', { status: 422 }))
    const kube = { ...world.tools.kube, [write]: refusing }
    await expect(tryFirstWrite({ ...world.tools, kube }, rollout, stateOf(world))).rejects.toThrow('422: no')
  },
)
