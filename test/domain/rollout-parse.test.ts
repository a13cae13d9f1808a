import { describe, expect, test } from '@jest/globals'
import { cpuTime } from '../cpu-time.ts'
import fc from 'fast-check'
import type { RolloutRecord } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { parseEvidence } from '../../shared/domain/rollout/halt-evidence.ts'
import { journalKept, noted, parseJournal } from '../../shared/domain/rollout/journal.ts'
import { changeMark, isOurs } from '../../shared/domain/rollout/marks.ts'
import { carefulPace, paceOf } from '../../shared/domain/rollout/pace.ts'
import { parseRollout } from '../../shared/domain/rollout/parse.ts'
import { type Rollout, rolloutAnnotations } from '../../shared/domain/rollout/rollout.ts'
import { felixObject } from '../workflows/world.ts'

const now = Date.parse('2026-11-20T10:00:00Z')
const rollout: Rollout = {
  id: 'b1946ac92492',
  state: 'halted',
  phase: 'restarts',
  target: '20000:32767,40000',
  pace: paceOf({ ...defaultPolicy, maxUnavailable: '5%' }),
  where: { api: 'projectcalico.org/v3', calico: 'v3.28.4', spec: true, known: 'eks-api' },
  canary: 'n1',
  last: ['n3'],
  skip: ['n4'],
  defaulted: ['nftablesMode'],
  restart: ['calico-node-a', 'calico-node-b'],
  touching: [{ node: 'n1', pod: 'calico-node-a', at: '2026-11-20T09:59:00.000Z' }],
  startedAt: '2026-11-20T09:00:00.000Z',
  why: 'RANGE_DIFFERS',
  reason: 'n1 did not come back',
  rollback: ['n1'],
  evidence: {
    node: 'n1',
    reason: 'lost',
    at: '2026-11-20T09:59:30.000Z',
    kubelet: 'Ready',
    log: ['panic'],
    pending: 'halt',
  },
  zones: { a: ['n1', 'n2'], b: ['n3'] },
}
const annotations = Object.fromEntries(
  Object.entries(rolloutAnnotations(rollout)).filter((entry): entry is [string, string] => entry[1] !== null),
)
const record = (over: Partial<RolloutRecord> = {}): RolloutRecord => ({ resourceVersion: '1', annotations, ...over })

describe('what is read of our Lease', () => {
  test('is what was written', () => expect(parseRollout(record(), now)).toEqual({ is: 'rollout', rollout }))

  test('is the beginning of a reason that is too long for a Lease', () => {
    const reason = rolloutAnnotations({ ...rollout, reason: `not ${'30000:32767,'.repeat(20_000)}` })[
      'calico-ipvs-sync/reason'
    ]
    expect(reason).toMatch(/^not .* …$/)
    const read = parseRollout(record({ annotations: { ...annotations, 'calico-ipvs-sync/reason': reason ?? '' } }), now)
    expect(read).toMatchObject({ is: 'rollout', rollout: { reason } })
  })

  test('is none where it holds none', () => {
    expect(parseRollout(undefined, now)).toEqual({ is: 'none' })
    expect(parseRollout(record({ annotations: { a: 'b' } }), now)).toEqual({ is: 'none' })
  })

  test('whatever stands in it, is none, a rollout or invalid, and soon', () => {
    const nasty = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.json(),
      fc.constantFrom('', ' ', 'null', '[]', '{}', '"x"', '1e999', '__proto__', 'constructor', 'n=='.repeat(5_000)),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(annotations)), nasty), (over) => {
        const begun = cpuTime()
        expect(['none', 'rollout', 'invalid']).toContain(
          parseRollout(record({ annotations: { ...annotations, ...over } }), now).is,
        )
        expect(cpuTime() - begun).toBeLessThan(500)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each<[string, Partial<RolloutRecord>]>([
    ['renewed in 2099', { holder: 'x', renewedAt: '2099-01-01T00:00:00Z', leaseSeconds: 60 }],
    ['held for a year', { holder: 'x', renewedAt: '2026-11-20T10:00:00Z', leaseSeconds: 31_536_000 }],
    ['held for less than no time', { holder: 'x', renewedAt: '2026-11-20T10:00:00Z', leaseSeconds: -1 }],
    [
      'without a rollout, held for decades',
      { annotations: {}, holder: 'x', renewedAt: '2026-11-20T10:00:00Z', leaseSeconds: 2_147_483_647 },
    ],
    ['of half a megabyte', { annotations: { ...annotations, x: 'x'.repeat(500_000) } }],
  ])('%s is invalid', (_, over) => expect(parseRollout(record(over), now)).toMatchObject({ is: 'invalid' }))

  test('held by a machine whose clock is a minute ahead is as good as any', () => {
    const held = { holder: 'x', renewedAt: '2026-11-20T10:01:00Z', leaseSeconds: 900 }
    expect(parseRollout(record(held), now)).toMatchObject({ is: 'rollout' })
  })
})

describe('what else anybody may have written', () => {
  test('a journal is read up to its bound, without lines that have no date', () => {
    const line = (at: string) => `${at} r what - - -> - by x`
    const text = Array.from({ length: 36_000 }, (_, index) => line(new Date(index * 1000).toISOString())).join('\n')
    const begun = cpuTime()
    const journal = parseJournal(`${text}\n${line('yesterday')}`)
    expect(journal.entries.length).toBeLessThanOrEqual(journalKept.entries)
    expect(journal.entries.at(-1)?.at).toBe(new Date(35_999_000).toISOString())
    const entries = Array.from({ length: 36_000 }, () => journal.entries[0]!)
    expect(noted({ entries, earlier: 0 }).earlier).toBeGreaterThan(35_000)
    expect(cpuTime() - begun).toBeLessThan(1_000)
  })

  test('evidence and marks never throw, and have bounds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        parseEvidence(text)
        changeMark({ annotations: { 'calico-ipvs-sync/change': text } })
        const forged = felixObject('node.n0', {
          'calico-ipvs-sync/override': 'created',
          'calico-ipvs-sync/change': text,
        })
        expect(isOurs(forged)).toBe(false)
      }),
    )
    const long = {
      node: 'n',
      reason: 'x'.repeat(9_000),
      at: '2026-11-20T10:00:00Z',
      log: Array(900).fill('x'.repeat(900)),
    }
    expect(JSON.stringify(parseEvidence(JSON.stringify({ ...long, log: long.log.slice(0, 50) }))).length).toBeLessThan(
      6_000,
    )
    expect(parseEvidence(JSON.stringify(long))).toBeUndefined()
  })

  test('the names in evidence are as the API server takes them, and otherwise none', () => {
    const parsed = (over: object) =>
      parseEvidence(JSON.stringify({ node: 'n1', reason: 'x', at: '2026-11-20T10:00:00Z', ...over }))
    const odd = ['', 'N1', 'n 1', '-n', 'n-', 'n\n', '\u202en1', 'AKIAABCDEFGHIJKLMNOP', 'n'.repeat(254), 7, null]
    for (const name of odd) {
      expect(parsed({ node: name })).toBeUndefined()
      expect(parsed({ pod: { namespace: 'kube-system', name } })).not.toHaveProperty('pod')
    }
    const names = ['n', 'ip-10-1-0-7.ec2.internal', 'glasgow-worker-node-01', 'n'.repeat(253)]
    expect(parsed({ beside: [...names, ...odd] })).toMatchObject({ beside: names })
  })

  test('a pace in the Lease is never faster than the policy, and may be slower', () => {
    const hurry = {
      strategy: 'direct',
      maxUnavailable: 50,
      canarySeconds: 0,
      settleSeconds: 0,
      nodeDeadlineSeconds: 9_999,
    } as const
    expect(carefulPace(hurry, defaultPolicy)).toEqual(paceOf(defaultPolicy))
    const slow = { ...paceOf(defaultPolicy), settleSeconds: 600 }
    expect(carefulPace(slow, { ...defaultPolicy, maxUnavailable: 5 })).toEqual(slow)
    expect(carefulPace({ ...slow, maxUnavailable: '100%' }, defaultPolicy).maxUnavailable).toBe(1)
  })
})
