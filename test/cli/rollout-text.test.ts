import { describe, expect, test } from '@jest/globals'
import { asBegun } from '../../cli/rollout/show.ts'
import { rolloutStatus } from '../../cli/rollout/status.ts'
import { commandFor } from '../../cli/target/command-for.ts'
import { journalLines, logText, type RolloutStyle, rolloutText, statusText } from '../../cli/rollout/text.ts'
import { read } from '../../shared/domain/read.ts'
import type { HaltEvidence } from '../../shared/domain/rollout/halt-evidence.ts'
import { allWrites, parseJournal } from '../../shared/domain/rollout/journal.ts'
import { soundRollout } from '../../shared/domain/rollout/parse.ts'
import { rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { progressOf } from '../../shared/domain/rollout/progress.ts'
import { stepInput } from '../../shared/domain/rollout/step-input.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'
import { startRollout, where, worldOf, type World } from '../workflows/world.ts'

const target = '20000:32767'
const nodes = ['ip-10-0-1-1.eu-west-1.compute.internal', 'ip-10-0-1-2.eu-west-1.compute.internal']
const [first = '', second = ''] = nodes

const begun = (over: Partial<Rollout> = {}): World => {
  const world = worldOf(nodes)
  startRollout(world, { target, canary: first, ...over })
  return world
}
const rolloutIn = (world: World): Rollout => soundRollout(world.lease, Infinity) as Rollout
const progressIn = (world: World, over: Partial<Rollout> = {}) => {
  const seen = stepInput({ api: where.api, objects: [...world.objects.values()] }, world.pods, where)
  return progressOf({ ...rolloutIn(world), ...over }, seen, world.iso())
}
const illNow = (world: World, node: string) => {
  world.pods = world.pods.map((pod) => (pod.node === node ? { ...pod, ready: false, readySince: world.iso() } : pod))
}
const stepped = async (world: World, steps: number): Promise<void> => {
  for (let at = 0; at < steps; at += 1) {
    const outcome = await takeStep(world.tools)
    if (outcome.next === 'wait') world.clock += outcome.seconds * 1000
  }
}
const plainly: RolloutStyle = { bold: String, name: 'prod 1' }
const on = (command: string) => `calico-ipvs-sync ${command} --context 'prod 1'`

describe('rollout status', () => {
  const evidence: HaltEvidence = {
    node: first,
    reason: 'lost',
    at: '2026-02-01T12:00:00Z',
    takenBackAt: '2026-02-01T12:03:00Z',
  }
  const standing = (over: object) => ({
    rollout: { ...rolloutIn(begun()), state: 'halted' as const, evidence },
    blockedBy: [],
    objects: [],
    journal: { entries: [], earlier: 0 },
    ...over,
  })
  const nowLine = (text: string) => text.split('\n').find((line) => line.startsWith('  now'))

  test('says of the node by its whole name whether it came back', () => {
    expect(nowLine(statusText(standing({ cameBack: 'no' }), plainly, on))).toBe(
      `  now       The change of ${first} was undone (our override was removed), but its calico-node is not Ready yet. If it stays so, look for another cause as well.`,
    )
    expect(nowLine(statusText(standing({ cameBack: 'yes' }), plainly, on))).toBe(
      `  now       The change of ${first} was undone (our override was removed), and its calico-node is Ready again.`,
    )
    expect(nowLine(statusText(standing({}), plainly, on))).toBeUndefined()
  })
})

test.each([
  [{ known: 'probe' }, {}, ' --probe'],
  [{ known: 'flag', given: { min: 20000, max: 22767 } }, {}, ' --service-node-port-range 20000-22767'],
  [{ known: 'flag', given: { min: 20000, max: 22767 } }, { probe: true }, ' --probe'],
  [
    { known: 'flag', given: { min: 20000, max: 22767 } },
    { serviceNodePortRange: { min: 1024, max: 2048 } },
    ' --service-node-port-range 1024-2048',
  ],
  [{ known: 'flag', given: { min: '$(id)', max: 22767 } }, {}, ''],
  [{ known: 'eks-api', given: { min: 20000, max: 22767 } }, {}, ''],
])('the `sync` that continues a rollout takes its range from where it began (%j, %j)', (known, options, words) => {
  const rollout = rolloutIn(begun({ where: { ...where, ...known } as Rollout['where'] }))
  const place = { cluster: { name: 'prod', context: 'prod' } }
  expect(commandFor('sync', { place }, asBegun(rollout, options))).toBe(`calico-ipvs-sync sync --context prod${words}`)
})

test('rollout status prints commands for that cluster', () => {
  const world = begun()
  const text = (state: Rollout['state'], blockedBy: string[] = []) =>
    statusText(
      {
        rollout: { ...rolloutIn(world), state },
        progress: progressIn(world, { state }),
        blockedBy,
        objects: [],
        journal: { entries: [], earlier: 0 },
      },
      plainly,
      on,
    )
  expect(text('paused')).toContain("\n            calico-ipvs-sync rollout resume --context 'prod 1'\n")
  expect(text('halted')).toContain("\n            calico-ipvs-sync rollout abort --context 'prod 1'\n")
  expect(text('running', ['NODES_NOT_READY'])).toContain("NODES_NOT_READY: calico-ipvs-sync check --context 'prod 1'\n")
  expect(text('running')).toContain("To continue it here: calico-ipvs-sync sync --context 'prod 1'\n")
})

describe('on a terminal', () => {
  const log = Array.from(
    { length: 12 },
    (_, at) => `felix/daemon.go ${at}: Failed to connect to the datastore, and will try it again`,
  )
  const evidence: HaltEvidence = { node: first, reason: 'it did not become Ready', at: '2026-02-01T12:00:00Z', log }
  const halted = (width?: number, name = plainly.name): string => {
    const world = begun()
    const rollout = { ...rolloutIn(world), state: 'halted' as const, evidence, reason: `${first} did not become Ready` }
    const standing = {
      rollout,
      progress: progressIn(world, { state: 'halted' }),
      blockedBy: [],
      objects: [],
      journal: { entries: [], earlier: 0 },
    }
    return statusText(standing, { ...plainly, name, width }, on)
  }
  const wide = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

  test.each([80, 60])('of %i columns no line of rollout status is longer', (columns) => {
    expect(wide(halted())).toBeGreaterThan(columns)
    expect(wide(halted(columns))).toBeLessThanOrEqual(columns)
    expect(wide(halted(columns, 'p'.repeat(100)))).toBeLessThanOrEqual(columns)
  })

  test('the state stands first and again at the end, with the commands that follow from it', () => {
    const lines = halted(80).trimEnd().split('\n')
    expect(lines[0]).toMatch(/^HALTED {2}prod 1 {2}rollout /)
    const closing = lines.findLastIndex((line) => line === 'HALTED  prod 1, 0 of 2 nodes done')
    expect(lines.length - closing).toBeLessThan(10)
    expect(lines.slice(closing).join('\n')).toContain("calico-ipvs-sync rollout resume --context 'prod 1'")
  })

  test('the last lines of a log are shown, and how many there are; a pipe has all', () => {
    const shown = (text: string) => text.split('\n').filter((line) => line.startsWith('  seen      log:')).length
    expect([shown(halted(80)), shown(halted())]).toEqual([3, 12])
    expect(halted(80)).toContain('9 earlier lines of the log: rollout evidence')
  })
})

test('rollout status names who carries it out only as long as its Lease lasts', () => {
  const shown = (over: object) => ({
    rollout: rolloutIn(begun()),
    blockedBy: [],
    objects: [],
    journal: { entries: [], earlier: 0 },
    lease: {
      resourceVersion: '1',
      annotations: {},
      holder: 'hub',
      renewedAt: '2026-02-01T12:00:00Z',
      leaseSeconds: 60,
    },
    ...over,
  })
  const held = statusText(shown({ carriedOutBy: 'hub' }), plainly, on)
  expect([held.includes('  by        hub, seen at'), held.includes('No process is applying it')]).toEqual([true, false])
  const expired = statusText(shown({}), plainly, on)
  expect([expired.includes('  by  '), expired.includes('No process is applying it now')]).toEqual([false, true])
  expect([held, expired].map((it) => it.match(/^[A-Z][A-Z ]+(?= {2})/gm))).toEqual([
    ['RUNNING', 'RUNNING'],
    ['UNFINISHED', 'UNFINISHED'],
  ])
  const aborting = { rollout: { ...rolloutIn(begun()), state: 'aborting' as const } }
  expect(statusText(shown(aborting), plainly, on)).toMatch(/^ABORT UNFINISHED {2}prod 1 /)
})

describe('a node that is not well', () => {
  test('before it was touched is kept apart as such', () => {
    const world = begun()
    illNow(world, second)
    expect(progressIn(world).apart).toEqual([
      { node: second, why: 'its calico-node was not Ready before the rollout reached it' },
    ])
  })

  test('after it was touched, and the range taken off it again, is not said to have been so before', async () => {
    const world = begun()
    world.broken.add(first)
    await stepped(world, 12)
    expect(rolloutIn(world)).toMatchObject({ state: 'halted', evidence: { node: first } })
    expect(progressIn(world).apart).toEqual([{ node: first, why: 'its calico-node is not Ready since it was changed' }])
  })

  test('is not done, though the value reached it through default', async () => {
    const world = begun({ pace: { ...rolloutIn(begun()).pace, strategy: 'direct' } })
    await stepped(world, 1)
    illNow(world, second)
    const { done, apart } = progressIn(world)
    expect([done, apart]).toEqual([[first], [{ node: second, why: 'its calico-node has the range, but is not Ready' }]])
  })
})

test('a node that was just changed, and whose range somebody else hides, is not pending as well', async () => {
  const world = begun()
  await stepped(world, 1)
  const object = world.objects.get(`node.${first}`)!
  const copy = JSON.stringify({ annotations: { [rangeAnnotation]: '1:2' } })
  world.objects.set(object.name, {
    ...object,
    annotations: { ...object.annotations, 'projectcalico.org/metadata': copy },
  })
  const { inFlight, pending } = progressIn(world)
  expect([inFlight.map(({ node }) => node), pending]).toEqual([[first], [second]])
})

test('a node whose range is decided elsewhere is not said to stay untouched where it will be restarted', () => {
  const restart = [`calico-node-${first}`]
  expect(progressIn(begun(), { skip: [first] }).apart).toHaveLength(1)
  const { pending, apart } = progressIn(begun(), { skip: [first], phase: 'restarts', restart })
  expect([pending, apart]).toEqual([[first], []])
})

test.each(['done', 'aborted', 'aborting'] as const)('nothing is pending in a rollout that is %s', (state) => {
  expect(progressIn(begun()).pending).toEqual(nodes)
  expect(progressIn(begun(), { state }).pending).toEqual([])
})

describe('rollout log', () => {
  test('has a write that only the object tells of, and says so', async () => {
    const world = begun()
    await stepped(world, 1)
    // As where the Lease was deleted.
    const journal = { entries: [], earlier: 0 }
    const entries = allWrites(journal, [...world.objects.values()])
    expect(entries.map(({ what, object, unnoted }) => [what, object, unnoted])).toEqual([
      ['override', `FelixConfiguration/node.${first}`, true],
    ])
    expect(journalLines({ entries, earlier: 0 })).toMatch(
      / by test {2}\(the object says so; not yet in the journal\)\n$/,
    )
  })

  test('of a halted rollout ends with the command that says what to do; another one with its last write', () => {
    const world = begun()
    const text = (state: Rollout['state']): string =>
      logText(
        { rollout: { ...rolloutIn(world), state }, journal: { entries: [], earlier: 0 } },
        { bold: (word) => word, name: 'prod-1' },
        (command) => `calico-ipvs-sync ${command} --context prod-1`,
      )
    const nothing = 'This tool has not written anything in this cluster.\n'
    expect(text('halted')).toBe(
      `${nothing}\nHALTED  prod-1\n  What happened, and what to do: calico-ipvs-sync rollout status --context prod-1\n`,
    )
    expect(text('running')).toBe(nothing)
  })

  test('is made of both, as the command shows it', async () => {
    const world = begun()
    await stepped(world, 1)
    const annotations = Object.fromEntries(
      Object.entries(world.lease?.annotations ?? {}).filter(([key]) => !/journal|writes/.test(key)),
    )
    const state = {
      observedAt: world.iso(),
      rollout: read({ ...world.lease, annotations }),
      felix: read({ api: where.api, objects: [...world.objects.values()] }),
      pods: read(world.pods),
      daemonSets: read([]),
      nodes: read([]),
    }
    const status = rolloutStatus({ state, plan: () => ({ blockedBy: [] }) } as never, 'check')
    expect(status.journal.entries.map(({ object, unnoted }) => [object, unnoted])).toEqual([
      [`FelixConfiguration/node.${first}`, true],
    ])
  })

  test('has it once when the journal has it too', async () => {
    const world = begun()
    await stepped(world, 2)
    await control(world.tools.kube, 'pause', { by: 'me', now: () => new Date(world.clock) })
    await stepped(world, 1)
    const journal = parseJournal(world.lease?.annotations['calico-ipvs-sync/journal'])
    const entries = allWrites(journal, [...world.objects.values()])
    const overrides = entries.filter(({ what }) => what === 'override')
    expect(overrides).toHaveLength(1)
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted())
  })
})

test('an abort that had to leave an override names it at the terminal, in the status, in the journal and in the log', async () => {
  const world = begun()
  await stepped(world, 1)
  world.clock += 60_000
  await control(world.tools.kube, 'abort')
  const object = world.objects.get(`node.${first}`)!
  world.objects.set(object.name, { ...object, annotations: { [rangeAnnotation]: target } })
  const told: StepEvent[] = []
  world.tools = { ...world.tools, tell: (event) => told.push(event) }
  await stepped(world, 10)
  const rollout = rolloutIn(world)
  expect([rollout.state, [...world.objects.keys()]]).toEqual(['aborted', ['default', object.name]])
  const left = `somebody took our marks from ${object.name}`
  expect(told).toMatchObject([{ what: 'rollout aborted', why: expect.stringContaining(left) }])
  expect(rollout.journal?.entries.at(-1)).toMatchObject({ what: 'aborted', why: expect.stringContaining(left) })
  expect(rolloutText(rollout, plainly)).toContain(left)
  const standing = { rollout, blockedBy: [], objects: [], journal: { entries: [], earlier: 0 } }
  expect(statusText(standing, plainly, on)).toContain(left)
})
