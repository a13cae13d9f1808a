import { expect, test } from '@jest/globals'
import { clusterKey } from '../../shared/messages.ts'
import { checkEnd, type Ended } from '../verify/histories/ends.ts'

const ref = { account: '111122223333', region: 'eu-central-1', name: 'blue' }

/** Whether the end of a history finds that the rollout in this Lease has not ended. */
const isUnended = (annotations: Record<string, string>): boolean => {
  const cluster = { ref, machines: new Map(), felix: new Map(), eks: {}, lease: { annotations } }
  const page = { cluster, halts: [], acted: [], switchedAt: 0 }
  const ended = {
    fleet: { clusters: new Map([[clusterKey(ref), cluster]]) },
    table: { get: () => undefined, all: () => [] },
    queues: { left: () => ({}), tellings: [], dead: [] },
    onlooker: { pages: () => [page] },
    published: [],
    calmSince: 0,
  }
  const fell = new Set<string>()
  const check = (name: string, what?: string) => void (what !== undefined && fell.add(name))
  checkEnd({ check, schedule: { now: () => 0 }, struck: new Set() } as never, ended as unknown as Ended)
  return fell.has('rollouts end')
}

test('a rollout that is still halted has not ended; where somebody took its id from the Lease, there is none', () => {
  const halted = { 'calico-ipvs-sync/state': 'halted' }
  expect(isUnended({ ...halted, 'calico-ipvs-sync/rollout': 'r1' })).toBe(true)
  expect(isUnended({ ...halted, 'calico-ipvs-sync/rollout': 'r1', 'calico-ipvs-sync/state': 'done' })).toBe(false)
  expect(isUnended(halted)).toBe(false)
})
