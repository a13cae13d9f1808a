import { expect, test } from '@jest/globals'
import { failed, type Read, read } from '../../shared/domain/read.ts'
import type { CalicoApi } from '../../shared/domain/report.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { KubeError } from '../../shared/errors.ts'
import { unlessApiIsGone } from '../../shared/workflows/rollout/api-gone.ts'
import { startRollout, worldOf } from './world.ts'

const v1 = 'crd.projectcalico.org/v1'
const v3 = 'projectcalico.org/v3'
const gone = new KubeError('unavailable', 'projectcalico.org/v3 does not serve FelixConfigurations.', { status: 404 })

/** A step of a rollout through `api` that ends in an error, in a cluster that serves these; through what it goes on. */
const stepThrough = async (api: CalicoApi, served: Read<string[]>, error: KubeError) => {
  const world = worldOf([])
  startRollout(world, { target: '1:2', where: { api } })
  const record = world.lease
  const rollout = soundRollout(record, Infinity)
  if (!record || !rollout) throw new Error('no rollout has begun')
  const tools = { ...world.tools, kube: { ...world.tools.kube, apis: async () => served } }
  const outcome = await unlessApiIsGone(tools, { record, rollout }, () => Promise.reject(error)).catch(
    (it: unknown) => it,
  )
  return { outcome, through: soundRollout(world.lease, Infinity)?.where.api }
}

test('an API that is served no more is left for that of the stored objects', async () => {
  expect(await stepThrough(v3, read(['v1', v1]), gone)).toEqual({ outcome: { next: 'now' }, through: v1 })
})

test.each([
  ['is still listed: the object was gone', v3, read([v3, v1]), gone],
  ['is down', v3, read([v1]), new KubeError('unavailable', '503: no', { status: 503 })],
  ['leaves nothing to go on with', v3, read(['v1']), gone],
  ['is that of the stored objects', v1, read(['v1']), gone],
] as const)('an API that %s is kept', async (_, api, served, error) => {
  expect(await stepThrough(api, served, error)).toEqual({ outcome: error, through: api })
})

test('where it cannot be asked what is served, nothing is decided', async () => {
  const silent = failed<string[]>({ kind: 'unreachable', object: 'apis', message: 'no answer' })
  const { outcome, through } = await stepThrough(v3, silent, gone)
  expect([through, String(outcome)]).toEqual([v3, expect.stringContaining('no answer')])
})
