import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import type { FindingCode } from '../../shared/domain/report.ts'
import { evidenceLines } from '../../shared/domain/rollout/halt-evidence.ts'
import { cluster } from './ingredients.ts'
import { edited, objectNamed, objectsOf } from './states.ts'

const remedyOf = (code: FindingCode, state: ClusterState): string[] =>
  assess(state, defaultPolicy)
    .report.findings.find((it) => it.code === code)
    ?.remedy?.split('\n') ?? []

const halted = (more: Record<string, string> = {}): ClusterState => {
  const state = {
    ...cluster('eks range 20000-22767, halted'),
    cluster: { name: 'blue', account: '111122223333', region: 'eu-west-1' },
  }
  const keyed = Object.entries(more).map(([key, value]) => [`calico-ipvs-sync/${key}`, value])
  const record = valueOf(state.rollout)
  return {
    ...state,
    rollout: read(record && { ...record, annotations: { ...record.annotations, ...Object.fromEntries(keyed) } }),
  }
}
const lineWith = (command: string, lines: string[]): string => lines.find((line) => line.includes(` ${command} `)) ?? ''

describe('what to do after a halt', () => {
  test('is said of this cluster: the account stands before what a command does, and not in its midst', () => {
    const lines = remedyOf('ROLLOUT_HALTED', halted())
    expect(lineWith('rollout resume', lines)).toMatch(
      /# in account 111122223333: changes the node again, then any other nodes of this cluster; /,
    )
    expect(lineWith('rollout abort', lines)).toMatch(/# in account 111122223333: only ends the rollout; /)
  })

  test('is critical until all is undone: its end is news again', () => {
    const severities = [halted({ rollback: 'node-0001' }), halted()].map(
      (state) => assess(state, defaultPolicy).report.findings.find(({ code }) => code === 'ROLLOUT_HALTED')?.severity,
    )
    expect(severities).toEqual(['critical', 'warning'])
  })

  test('is a decision as soon as `default` has its former value, also before that is in the Lease', () => {
    const evidence = (takenBackAt?: string) =>
      JSON.stringify({
        node: 'node-0001',
        reason: 'lost',
        at: '2026-11-20T08:00:00Z',
        wrote: { object: 'FelixConfiguration/default' },
        takenBackAt,
      })
    const ofIt = (state: ClusterState) =>
      assess(state, defaultPolicy).report.findings.find(({ code }) => code === 'ROLLOUT_HALTED')
    const back = halted({ rollback: 'node-0001', evidence: evidence('2026-11-20T08:00:05Z') })
    expect(ofIt(back)).toMatchObject({ severity: 'warning', message: expect.not.stringContaining('Not all is undone') })
    expect(ofIt(halted({ rollback: 'node-0001', evidence: evidence() }))?.severity).toBe('critical')
    const id = valueOf(back.rollout)?.annotations['calico-ipvs-sync/rollout'] ?? ''
    const mark = { 'calico-ipvs-sync/change': JSON.stringify({ by: 'me', rollout: id, known: 'flag' }) }
    const still = edited(back, (it) => {
      const base = objectNamed(it, 'default')
      base.annotations = { ...base.annotations, ...mark }
    })
    const unread = {
      ...back,
      felix: failed<never>({ kind: 'unavailable', object: 'felixconfigurations', message: '503' }),
    }
    expect([ofIt(still)?.severity, ofIt(unread)?.severity]).toEqual(['critical', 'critical'])
  })

  describe('because somebody reverted what was written today', () => {
    const reverted = {
      'taken-back': JSON.stringify({ object: 'FelixConfiguration/node.n1', at: '2026-11-20T08:00:00Z' }),
    }

    test('resume is said to be refused until the day is over', () => {
      expect(lineWith('rollout resume', remedyOf('ROLLOUT_HALTED', halted(reverted)))).toContain(
        ': refused until midnight UTC; ',
      )
      const yesterday = { 'taken-back': reverted['taken-back'].replace('-20T', '-19T') }
      expect(lineWith('rollout resume', remedyOf('ROLLOUT_HALTED', halted(yesterday)))).not.toContain('midnight')
    })

    test('and an abort: no resume is advised that the aborted rollout does not allow', () => {
      expect(remedyOf('FLAPPING', halted(reverted)).join('\n')).toContain(' rollout resume --force ')
      const aborted = remedyOf('FLAPPING', halted({ ...reverted, state: 'aborted' })).join('\n')
      expect(aborted).not.toContain('rollout resume')
      expect(aborted).toContain('from midnight UTC on: calico-ipvs-sync sync --cluster blue --region eu-west-1')
    })
  })
})

test('a pod that was deleted to restart it is not said to be written', () => {
  const about = { node: 'n1', reason: 'lost', at: '2026-11-20T08:00:00Z' }
  const [pod, object] = ['Pod/calico-system/calico-node-a', 'FelixConfiguration/node.n1'].map(
    (it) => evidenceLines({ ...about, wrote: { object: it } })[0],
  )
  expect([pod, object]).toEqual([
    'deleted, to restart it: Pod/calico-system/calico-node-a',
    'written: FelixConfiguration/node.n1',
  ])
})

test('a copy of the metadata that says `null`, which Calico can read, keeps nothing from being planned', () => {
  const state = edited(cluster('eks range 20000-22767'), (it) => {
    objectNamed(it, 'default').annotations['projectcalico.org/metadata'] = 'null'
    // Only stored objects have the copy.
    it.felix = read({ api: 'crd.projectcalico.org/v1', objects: objectsOf(it) })
  })
  const planned = plan(assess(state, defaultPolicy), state, defaultPolicy)
  expect(planned.blockedBy).toEqual([])
  expect(planned.changes.some(({ action, name }) => action === 'patch' && name === 'default')).toBe(true)
})

describe('what to do where calico-node was removed in the middle of a rollout', () => {
  const unreadWith = (status: number) => ({
    felix: failed<never>({ kind: 'unavailable', object: 'FelixConfigurations', message: 'it says so', status }),
  })
  const ending = (state: ClusterState) => remedyOf('ROLLOUT_HALTED', state).join('\n')

  test('is to abort it, which ends it also where the overrides are gone', () => {
    expect(ending(cluster('no calico, running'))).toContain(' rollout abort ')
    for (const status of [404, 503])
      expect(ending({ ...cluster('no calico, running'), ...unreadWith(status) })).toContain(' rollout abort ')
  })

  test('is nothing where a list contains no DaemonSet at all', () => {
    expect(ending({ ...cluster('no calico, running'), daemonSets: read([]) })).toBe('')
  })

  test('is nothing for an abort, which ends by itself', () => {
    expect(ending(cluster('no calico, aborting'))).toBe('')
    expect(ending({ ...cluster('no calico, aborting'), ...unreadWith(404) })).toBe('')
  })

  describe('and had halted', () => {
    const removed = (more: Record<string, string> = {}): ClusterState => ({
      ...cluster('no calico'),
      rollout: halted(more).rollout,
    })
    const pending = { rollback: 'node-0002' }
    const wrote = { object: 'FelixConfiguration/default' }
    const restoring = {
      ...pending,
      evidence: JSON.stringify({ node: 'node-0002', reason: 'lost', at: '2026-11-20T08:00:00Z', wrote }),
    }

    test('is to decide, as after any halt', () => {
      expect(ending(removed())).toContain(' rollout resume ')
      expect(ending(removed())).toContain(' rollout abort ')
    })

    test('is to abort it where an override is still to be removed: sync would only wait', () => {
      expect(ending(removed(pending))).toContain(' rollout abort ')
      expect(ending(removed(pending))).not.toMatch(/-sync (?:sync|rollout resume) /)
    })

    test('is to delete its Lease where `default` is to get its former value back, which no abort leaves undone', () => {
      expect(ending(removed(restoring))).toContain(' delete lease calico-ipvs-sync')
      expect(ending(removed(restoring))).not.toMatch(/-sync (?:sync|rollout resume|rollout abort) /)
    })

    test('says what is not undone yet, and what that waits for', () => {
      const { findings } = assess(removed(pending), defaultPolicy).report
      expect(findings.map(({ message }) => message).join('')).toContain(
        'Not all is undone yet: our override on node-0002 is removed when calico-node, which was removed, is there again.',
      )
    })
  })
})
