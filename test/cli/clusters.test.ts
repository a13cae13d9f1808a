import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import type { Report, Sweep } from '../../shared/domain/report.ts'
import { reportSchema, sweepSchema } from '../../shared/report/schema.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { plantWebhook, uprootWebhook } from '../../lab/fixtures/webhooks.ts'
import { runHere as run } from './here.ts'
import { bin, type Ended, run as runProcess } from './run.ts'

const workdir = mkdtempSync(join(tmpdir(), 'clusters-'))
const file = (name: string) => join(workdir, name)
const started: EmbeddedCluster[] = []

const start = async (name: string, nodePortRange?: { min: number; max: number }): Promise<EmbeddedCluster> => {
  const cluster = await startEmbedded({ name, workdir, ...(nodePortRange && { nodePortRange }) })
  started.push(cluster)
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 4, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  return cluster
}

let good: EmbeddedCluster
let moved: EmbeddedCluster
beforeAll(async () => {
  ;[good, moved] = await Promise.all([start('good'), start('moved', { min: 20000, max: 22767 })])
})
afterAll(async () => {
  await Promise.all(started.map((cluster) => cluster.stop()))
  rmSync(workdir, { recursive: true })
})

interface Kubeconfig {
  clusters: { name: string; cluster: { server: string } }[]
  contexts: { name: string }[]
  users: { name: string; user: object }[]
}
const configOf = ({ kubeconfig }: EmbeddedCluster) => parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig

/** One kubeconfig with the contexts of all. */
const merged = (clusters: EmbeddedCluster[]): Kubeconfig => {
  const configs = clusters.map(configOf)
  return {
    clusters: configs.flatMap((it) => it.clusters),
    contexts: configs.flatMap((it) => it.contexts),
    users: configs.flatMap((it) => it.users),
  }
}

const reportIn = ({ stdout }: Ended): Report => reportSchema.parse(JSON.parse(stdout))
const codes = ({ findings }: Report) => findings.map(({ code }) => code)
const given = ['--service-node-port-range', '20000-22767']
const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations'

interface Felix {
  metadata: { name: string; annotations?: Record<string, string> }
  spec: { kubeNodePortRanges?: unknown[] }
}
const felixObjects = async (cluster: EmbeddedCluster): Promise<Felix[]> =>
  ((await cluster.request('GET', felix)) as { items: Felix[] }).items

/** Requests other than reads that the server got while `act` ran. */
const writesDuring = async (cluster: EmbeddedCluster, act: () => Promise<unknown>): Promise<string[]> => {
  cluster.faults.forget()
  await act()
  return cluster.faults
    .requests()
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path}`)
}

describe('check', () => {
  test('a cluster in step: exit 0 and the contract’s document', async () => {
    const ended = await run(['check', '--kubeconfig', good.kubeconfig, '--context', 'good', '-o', 'json'])
    expect(reportIn(ended)).toMatchObject({
      verdict: 'in-step',
      cluster: { name: 'good', context: 'good' },
      serviceRange: { min: 30000, max: 32767, source: 'default' },
      desiredRange: ['30000:32767'],
      kubeProxy: { configuredMode: 'ipvs' },
    })
    expect(reportIn(ended).nodes).toHaveLength(4)
    expect(ended.status).toBe(0)
  })

  test('a range that Calico does not know: exit 1, the finding, the nodes it concerns', async () => {
    const ended = await run(['check', '--kubeconfig', moved.kubeconfig, ...given, '-o', 'json'])
    const report = reportIn(ended)
    expect([report.verdict, ended.status]).toEqual(['out-of-step', 1])
    expect(codes(report)).toContain('RANGE_DIFFERS')
    expect(report.serviceRange).toEqual({ min: 20000, max: 22767, source: 'flag' })
    expect(report.nodes.every(({ verdict }) => verdict === 'out-of-step')).toBe(true)
    expect(report).not.toHaveProperty('plan')
  })

  test('--plan adds what sync would do, and --fail-on never makes 0 of an answer', async () => {
    const place = ['check', '--kubeconfig', moved.kubeconfig, ...given, '-o', 'json']
    const ended = await run([...place, '--plan', '--fail-on', 'never'])
    expect(reportIn(ended).plan?.changes.length).toBeGreaterThan(0)
    expect(ended.status).toBe(0)
  })

  test('--probe learns the range from the API server itself and leaves nothing behind', async () => {
    const ended = await run(['check', '--kubeconfig', moved.kubeconfig, '--probe', '-o', 'json'])
    expect(reportIn(ended).serviceRange).toEqual({ min: 20000, max: 22767, source: 'probe' })
    const { items } = (await moved.request('GET', '/api/v1/services')) as { items: { metadata: { name: string } }[] }
    expect(items.map(({ metadata }) => metadata.name)).not.toContain('calico-ipvs-sync-probe')
  })

  test('progress goes to standard error, not into the result, and --quiet keeps it away', async () => {
    const loud = await run(['check', '--kubeconfig', good.kubeconfig])
    expect(loud.stderr).toBe('reading good\n')
    expect(loud.stdout.startsWith('IN STEP  good\n')).toBe(true)
    expect(loud.stdout).not.toContain('\u001b')
    expect((await run(['check', '--kubeconfig', good.kubeconfig, '--quiet'])).stderr).toBe('')
  })

  test('a reader that stops reading changes nothing about the exit status', async () => {
    const ended = await runProcess(['check', '--kubeconfig', moved.kubeconfig, ...given, '-o', 'html'], {
      running: (child) => child.stdout?.destroy(),
    })
    expect(ended).toMatchObject({ status: 1, signal: null, stderr: 'reading moved\n' })
  })

  test('a result that cannot be written is a failed command, not a cluster out of step', () => {
    const full = openSync('/dev/full', 'w')
    const words = ['--help']
    const ended = spawnSync(process.execPath, [bin, ...words], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    closeSync(full)
    expect(ended.status).toBe(2)
    expect(ended.stderr).toContain('could not be written: no space is left')
    expect(ended.stderr).not.toMatch(/^\s+at /m)
  })

  test.each(['text', 'json', 'junit', 'sarif', 'csv', 'html'])('-o %s has the cluster in it', async (form) => {
    const ended = await run(['check', '--kubeconfig', good.kubeconfig, '-o', form])
    expect(ended.status).toBe(0)
    expect(ended.stdout).toContain(form === 'sarif' ? '2.1.0' : 'good')
  })
})

describe('a cluster that cannot be looked at is the same document with the verdict unknown: exit 2', () => {
  const config = (over: (config: Kubeconfig) => void): string => {
    const path = file('kubeconfig')
    const copy = configOf(good)
    over(copy)
    writeFileSync(path, stringify(copy))
    return path
  }

  test('nothing listens there', async () => {
    const path = config(({ clusters: [first] }) => first && (first.cluster.server = 'https://127.0.0.1:1'))
    for (const command of ['check', 'plan']) {
      const ended = await run([command, '--kubeconfig', path, '-o', 'json'])
      const report = reportIn(ended)
      expect([report.verdict, ended.status]).toEqual(['unknown', 2])
      expect(codes(report)).toContain('UNREACHABLE')
      if (command === 'plan') expect(report.plan).toMatchObject({ changes: [], blockedBy: ['UNREACHABLE'] })
    }
  })

  test('the token is refused', async () => {
    const path = config(({ users: [first] }) => first && (first.user = { token: 'wrong' }))
    const ended = await run(['check', '--kubeconfig', path, '-o', 'json'])
    expect([reportIn(ended).verdict, ended.status]).toEqual(['unknown', 2])
    expect(codes(reportIn(ended))).toContain('ACCESS_DENIED')
  })

  test('there is no such context, and the contexts there are, are named', async () => {
    const ended = await run(['check', '--kubeconfig', good.kubeconfig, '--context', 'bad', '-o', 'json'])
    expect([reportIn(ended).verdict, ended.status]).toEqual(['unknown', 2])
    expect(reportIn(ended).findings[0]?.message).toContain('good')
  })

  test('there is no such kubeconfig', async () => {
    const ended = await run(['check', '--kubeconfig', '/nonexistent', '-o', 'json'])
    expect([reportIn(ended).verdict, ended.status]).toEqual(['unknown', 2])
  })
})

const byText = (a: string, b: string) => (a < b ? -1 : 1)

describe('capture and check --state', () => {
  test('a captured state is judged as the live cluster was', async () => {
    const state = file('moved.json')
    expect(await run(['capture', state, '--kubeconfig', moved.kubeconfig, ...given, '--quiet'])).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    })
    const [offline, live] = await Promise.all([
      run(['check', '--state', state, '-o', 'json']),
      run(['check', '--kubeconfig', moved.kubeconfig, ...given, '-o', 'json']),
    ])
    const { readSeconds, ...seen } = reportIn(live)
    expect(readSeconds).toBeGreaterThanOrEqual(0)
    expect({ ...reportIn(offline), observedAt: '' }).toEqual({ ...seen, observedAt: '' })
    expect(offline.status).toBe(1)
  })

  test('the same node goes first in a plan, in one from a captured state and in a sync, and not one that serves webhooks', async () => {
    const place = ['--kubeconfig', moved.kubeconfig, ...given, '--quiet']
    const overrides = ({ plan }: Report) =>
      plan?.changes.filter(({ action }) => action === 'create').map(({ name }) => name)
    const usual = overrides(reportIn(await run(['plan', ...place, '-o', 'json']))) ?? []
    const first = usual[0]?.slice('node.'.length) ?? ''
    await plantWebhook(moved, [first])
    const state = file('guarded.json')
    await run(['capture', state, ...place])
    const plans = await Promise.all(
      [
        ['plan', ...place],
        ['plan', '--state', state],
        ['check', '--plan', ...place],
        ['sync', '--dry-run', ...place],
      ].map((words) => run([...words, '-o', 'json'])),
    )
    await uprootWebhook(moved)
    expect(usual).toHaveLength(4)
    const [order = [], ...more] = plans.map((ended) => overrides(reportIn(ended)))
    expect(order.toSorted(byText)).toEqual(usual.toSorted(byText))
    expect(order.at(-1)).toBe(`node.${first}`)
    for (const other of more) expect(other).toEqual(order)
  })

  test('a captured state holds no token', async () => {
    const { stdout } = await run(['capture', '--kubeconfig', good.kubeconfig])
    expect(stdout).toContain('"schemaVersion": 1')
    expect(stdout).not.toContain(good.adminToken)
  })

  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

  test('what a server nests without end keeps nothing from being captured, and the file can be judged', async () => {
    const body = `{"items":[{"metadata":{"name":"default","uid":"u"},"spec":{"kubeNodePortRanges":${nested}}}]}`
    const undo = good.faults.inject({ path: /felixconfigurations/, answer: { status: 200, body } })
    const { stdout, stderr } = await runProcess(['capture', '--quiet', '--kubeconfig', good.kubeconfig])
    undo()
    expect(stderr).toBe('')
    writeFileSync(file('of-nested.json'), stdout)
    const ended = await run(['check', '--quiet', '--state', file('of-nested.json'), '-o', 'json'])
    expect(ended.stderr).toBe('')
    const told = reportIn(ended).findings.find(({ code }) => code === 'UNREACHABLE')
    expect(told?.message).toMatch(/FelixConfigurations.* nested more than 100 levels/)
  })

  test('a file that nests without end is named as the fault: exit 2', async () => {
    const { stdout } = await run(['capture', '--kubeconfig', good.kubeconfig])
    const object = '{"name":"default","uid":"u","resourceVersion":"1","createdAt":"2026-01-01T00:00:00Z"'
    const rest = `"labels":{},"annotations":{},"managedFields":[],"spec":{"kubeNodePortRanges":${nested}}}`
    const state = JSON.stringify({ ...(JSON.parse(stdout) as ClusterState), felix: 0 })
    const felix = `"felix":{"value":{"api":"crd.projectcalico.org/v1","objects":[${object},${rest}]}}`
    writeFileSync(file('nested.json'), state.replace('"felix":0', felix))
    const ended = await run(['check', '--state', file('nested.json')])
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toContain('nested.json')
    expect(ended.stderr).not.toMatch(/RangeError|Maximum call stack|^\s+at /m)
  })

  test('a read that failed when it was captured is still not known: exit 2', async () => {
    const { stdout } = await run(['capture', '--kubeconfig', good.kubeconfig])
    const state = JSON.parse(stdout) as ClusterState
    const failure = { kind: 'denied', object: 'Nodes', message: '403: nodes is forbidden', status: 403 } as const
    writeFileSync(file('denied.json'), JSON.stringify({ ...state, nodes: { failure } }))
    const ended = await run(['check', '--state', file('denied.json'), '-o', 'json'])
    expect([reportIn(ended).verdict, ended.status]).toEqual(['unknown', 2])
  })

  test.each([
    ['[]', 'is not a captured state'],
    ['{"schemaVersion":2}', 'schemaVersion'],
    ['not json', 'it is not JSON'],
  ])('a file that holds %s is named as the fault: exit 2', async (content, says) => {
    writeFileSync(file('broken.json'), content)
    const ended = await run(['check', '--state', file('broken.json')])
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toContain('broken.json')
    expect(ended.stderr).toContain(says)
    expect(ended.stderr).not.toMatch(/^\s+at /m)
  })
})

describe('sweep', () => {
  test('a row per context, the one that is not there among them; the exit status of the worst', async () => {
    const path = file('fleet')
    writeFileSync(path, stringify(merged([good, moved])))
    const contexts = ['--context', 'good', '--context', 'moved', '--context', 'gone']
    const ended = await run(['sweep', '--kubeconfig', path, ...contexts, ...given, '-o', 'json'])
    const { clusters }: Sweep = sweepSchema.parse(JSON.parse(ended.stdout))
    expect(clusters.map(({ cluster, verdict }) => [cluster.name, verdict])).toEqual([
      ['gone', 'unknown'],
      ['good', 'out-of-step'],
      ['moved', 'out-of-step'],
    ])
    expect(ended.status).toBe(1)
  })

  test('--probe: a server that refuses to be asked is a row that says so, beside the others', async () => {
    const path = file('probed')
    writeFileSync(path, stringify(merged([good, moved])))
    const answer = { status: 403, body: { kind: 'Status', message: 'services is forbidden: User "me" cannot create' } }
    const allow = moved.faults.inject({ method: 'POST', path: /\/services$/, answer })
    try {
      const ended = await run([
        'sweep',
        '--kubeconfig',
        path,
        '--context',
        'good',
        '--context',
        'moved',
        '--probe',
        '-o',
        'json',
      ])
      const { clusters }: Sweep = sweepSchema.parse(JSON.parse(ended.stdout))
      expect(
        clusters.map(({ cluster, verdict, serviceRange }) => [cluster.name, verdict, serviceRange?.source]),
      ).toEqual([
        ['good', 'in-step', 'probe'],
        ['moved', 'unknown', 'default'],
      ])
      const { message } = clusters[1]?.findings.find(({ code }) => code === 'RANGE_ASSUMED') ?? {}
      expect(message).toContain('services is forbidden: User "me" cannot create')
      expect(ended.status).toBe(2)
    } finally {
      allow()
    }
  })
})

describe('sync with a kubeconfig that names no EKS cluster', () => {
  const about = (...words: string[]) => [
    'sync',
    '--kubeconfig',
    own.kubeconfig,
    '--yes',
    ...fast,
    '-o',
    'json',
    ...words,
  ]
  const fast = ['--canary-seconds', '0', '--settle-seconds', '0']
  const range = '20000:22767'
  let own: EmbeddedCluster
  beforeAll(async () => {
    own = await start('renamed', { min: 20000, max: 22767 })
  })

  /** What plain sync answers, and what it wrote. */
  const assumed = async () => {
    let ended: Ended | undefined
    const writes = await writesDuring(own, async () => (ended = await run(about())))
    const report = reportIn(ended as Ended)
    const { verdict, plan } = report
    const { message = '', remedy = '' } = report.findings.find(({ code }) => code === 'RANGE_ASSUMED') ?? {}
    return {
      writes,
      verdict,
      changes: plan?.changes,
      blockedBy: plan?.blockedBy,
      status: ended?.status,
      message,
      remedy,
    }
  }
  const stays = { writes: [], verdict: 'unknown', changes: [], blockedBy: ['RANGE_ASSUMED'], status: 1 }

  test('writes over no value that stands there, on no node and not in default, and says how the range is learned', async () => {
    const annotations = { [rangeKey]: range }
    await own.request('PATCH', `${felix}/default`, { metadata: { annotations } }, 'application/merge-patch+json')
    const found = await assumed()
    expect(found).toMatchObject(stays)
    expect(found.message).toContain(`FelixConfiguration/default says ${range}`)
    expect(found.remedy).toContain(`calico-ipvs-sync check --context renamed --kubeconfig ${own.kubeconfig} --probe`)
    for (const command of ['check', 'plan']) {
      const ended = await run([command, '--kubeconfig', own.kubeconfig, '-o', 'json'])
      expect([reportIn(ended).verdict, ended.status]).toEqual(['unknown', 2])
    }
  })

  test('nor where the name leads to an EKS cluster that may not be asked about', async () => {
    const config = configOf(own)
    const contexts = config.contexts.map((it) => ({ ...it, name: 'me@prod.eu-west-1.eksctl.io' }))
    const named = { ...config, contexts, 'current-context': contexts[0]?.name }
    writeFileSync(file('eksctl.yaml'), stringify(named))
    const writes = await writesDuring(own, async () => {
      const ended = await run(['sync', '--kubeconfig', file('eksctl.yaml'), '--yes', '-o', 'json'])
      const { verdict, plan } = reportIn(ended)
      expect([verdict, plan?.changes, ended.status]).toEqual(['unknown', [], 1])
      expect(plan?.blockedBy).toContain('RANGE_ASSUMED')
    })
    expect(writes).toEqual([])
  })

  test('the probe proves the same value, and nothing is to be done', async () => {
    const ended = await run(about('--probe'))
    expect([reportIn(ended).verdict, ended.status]).toEqual(['in-step', 0])
  })

  test('does not undo what sync --probe wrote the same day, and says who wrote it and how the range was known', async () => {
    const annotations = { [rangeKey]: null }
    await own.request('PATCH', `${felix}/default`, { metadata: { annotations } }, 'application/merge-patch+json')
    expect(await assumed()).toMatchObject({ writes: [], verdict: 'in-step', changes: [], blockedBy: [], status: 0 })
    const written = await run(about('--probe'))
    expect([reportIn(written).verdict, written.status]).toEqual(['in-step', 0])
    const found = await assumed()
    expect(found).toMatchObject(stays)
    expect(found.message).toMatch(
      /20000:22767, written by this tool at \S+ \(the range as the API server returned it\)/,
    )
    expect((await felixObjects(own))[0]?.metadata.annotations?.[rangeKey]).toBe(range)
  })

  test('a plan made with a proven range is not carried out on an assumption', async () => {
    const annotations = { [rangeKey]: '30000:32767' }
    // With the Lease goes the memory of today's write.
    await own.request('DELETE', leasePath)
    await own.request('PATCH', `${felix}/default`, { metadata: { annotations } }, 'application/merge-patch+json')
    const planned = await run(['plan', '--kubeconfig', own.kubeconfig, '--probe', '-o', 'json'])
    expect(reportIn(planned).plan?.changes.length).toBeGreaterThan(0)
    writeFileSync(file('proven.json'), planned.stdout)
    const writes = await writesDuring(own, async () => {
      const ended = await run(['sync', '--kubeconfig', own.kubeconfig, '--yes', '--plan', file('proven.json')])
      expect(ended.status).toBe(2)
      expect(ended.stderr).toContain('the service range was 20000:22767 (probe), and now it is only assumed.')
      const again = `calico-ipvs-sync sync --plan ${file('proven.json')} --context renamed --kubeconfig ${own.kubeconfig} --probe`
      expect(ended.stderr).toContain(`Next: ${again}\n`)
    })
    expect(writes).toEqual([])
  })
})

describe('sync', () => {
  const place = () => ['--kubeconfig', moved.kubeconfig, ...given]
  const fast = ['--canary-seconds', '0', '--settle-seconds', '0']

  test('--dry-run shows the plan and writes nothing', async () => {
    const writes = await writesDuring(moved, async () => {
      const ended = await run(['sync', ...place(), '--dry-run', '-o', 'json'])
      expect(reportIn(ended).plan?.forecast.felixRestarts).toBe(4)
      expect(ended.status).toBe(1)
    })
    expect(writes).toEqual([])
  })

  test('a plan of another day is refused and nothing is written', async () => {
    const planned = await run(['plan', ...place(), '-o', 'json'])
    const report = reportIn(planned)
    const [first, ...rest] = report.plan?.changes ?? []
    writeFileSync(file('old-plan.json'), JSON.stringify({ ...report, plan: { ...report.plan, changes: rest } }))
    expect(first).toBeDefined()
    const writes = await writesDuring(moved, async () => {
      const ended = await run(['sync', ...place(), '--yes', '--plan', file('old-plan.json')])
      expect(ended.status).toBe(2)
      expect(ended.stderr).toContain('no longer what has to be done')
    })
    expect(writes).toEqual([])
  })

  test('a plan is refused once the world has moved, and what moved is named', async () => {
    const planned = await run(['plan', ...place(), '--settle-seconds', '3', '-o', 'json'])
    const report = reportIn(planned)
    expect(report.plan?.preconditions).toMatchObject({
      objects: [{ kind: 'FelixConfiguration', name: 'default', uid: expect.any(String) }],
      assessed: expect.stringMatching(/^[0-9a-f]{16}$/),
      pace: { maxUnavailable: 1, settleSeconds: 3, restarts: 'auto' },
    })
    writeFileSync(file('plan.json'), planned.stdout)
    const fresh = await run(['sync', ...place(), '--dry-run', '--plan', file('plan.json'), '-o', 'json'])
    expect(reportIn(fresh).plan).toEqual(report.plan)

    const note = { metadata: { annotations: { team: 'net' } } }
    await moved.request('PATCH', `${felix}/default`, note, 'application/merge-patch+json')
    const writes = await writesDuring(moved, async () => {
      const ended = await run(['sync', ...place(), '--yes', '--plan', file('plan.json')])
      expect(ended.status).toBe(2)
      expect(ended.stderr).toContain('What moved: FelixConfiguration/default was changed.')
      const other = await run(['sync', '--kubeconfig', good.kubeconfig, ...given, '--yes', '--plan', file('plan.json')])
      expect(other.stderr).toContain('the plan is for cluster moved, this is good')
      const wider = await run(['sync', ...place(), '--yes', '--plan', file('plan.json'), '--max-unavailable', '3'])
      expect(wider.status).toBe(64)
    })
    expect(writes).toEqual([])
  })

  test('Ctrl-C ends it after the write under way, with one node changed and the Lease given up', async () => {
    const interrupted = await runProcess(
      ['sync', ...place(), '--yes', '--canary-seconds', '600', '--settle-seconds', '0'],
      {
        running: (child) => {
          child.stderr?.on('data', (text) => String(text).includes('override written') && child.kill('SIGINT'))
        },
      },
    )
    expect(interrupted.status).toBe(2)
    expect(interrupted.stderr).toContain('interrupted')
    expect(interrupted.stderr).toContain('nodes     0 done, 1 in flight, 3 pending, 0 kept apart')
    const again = interrupted.stderr.split('\n').find((line) => line.includes('No process is applying it now'))
    expect(again).toMatch(/ sync .*--context \S+/)
    const lease = (await moved.request('GET', leasePath)) as { spec: { holderIdentity?: string } }
    expect(lease.spec.holderIdentity ?? '').toBe('')
    const names = (await felixObjects(moved)).map(({ metadata }) => metadata.name)
    expect(names.filter((name) => name.startsWith('node.'))).toHaveLength(1)
  })

  test('what was begun can be seen, paused, resumed and aborted; the abort takes the override back', async () => {
    const rollout = async (act: string) => {
      const ended = await run(['rollout', act, '--kubeconfig', moved.kubeconfig, '-o', 'json'])
      const { rollout } = JSON.parse(ended.stdout) as { rollout: { state: string; target: string } }
      return [rollout.state, rollout.target, ended.status]
    }
    expect(await rollout('status')).toEqual(['running', '20000:22767', 0])
    const about = ['--kubeconfig', moved.kubeconfig, ...given]
    const status = JSON.parse((await run(['rollout', 'status', ...about, '-o', 'json'])).stdout)
    const first = (await felixObjects(moved)).map(({ metadata }) => metadata.name).find((name) => name !== 'default')
    expect(status).toMatchObject({
      blockedBy: [],
      progress: {
        done: [],
        inFlight: [{ node: first?.slice('node.'.length), seconds: expect.any(Number) }],
        pending: [expect.any(String), expect.any(String), expect.any(String)],
        apart: [],
        overrides: 1,
        next: { do: 'wait', text: expect.stringContaining('the changed nodes must stay well') },
      },
    })
    const text = (await run(['rollout', 'status', ...about])).stdout
    expect(text).toMatch(/nodes {5}0 done, 1 in flight, 3 pending, 0 kept apart\n/)
    expect(text).toMatch(
      /No process is applying it now\. To continue it here: calico-ipvs-sync sync --context moved --kubeconfig \S+/,
    )
    expect(await rollout('pause')).toEqual(['paused', '20000:22767', 0])
    expect(await rollout('pause')).toEqual(['paused', '20000:22767', 0])
    expect((await run(['sync', ...place(), '--yes'])).status).toBe(1)
    expect(await rollout('resume')).toEqual(['running', '20000:22767', 0])
    expect(await rollout('resume')).toEqual(['running', '20000:22767', 0])
    expect(await rollout('abort')).toEqual(['aborted', '20000:22767', 0])
    expect((await felixObjects(moved)).map(({ metadata }) => metadata.name)).toEqual(['default'])
    const { status: logged, stdout: log } = await run(['rollout', 'log', ...about])
    expect(logged).toBe(0)
    expect(log.split('\n').map((line) => line.split(/ +/)[2])).toEqual(
      expect.arrayContaining(['begin', 'override', 'pause', 'resume', 'abort', 'take-back', 'aborted']),
    )
    expect(log).toMatch(/pause +Lease\/kube-system\/calico-ipvs-sync {2}running -> paused {2}by /)
    expect(log).toMatch(/override +FelixConfiguration\/node\.\S+ {2}\S+ -> 20000:22767 {2}by \S+@/)
    const evidence = await run(['rollout', 'evidence', ...about])
    expect(JSON.parse(evidence.stdout)).toMatchObject({
      schemaVersion: 1,
      rollout: { state: 'aborted' },
      lease: { annotations: { 'calico-ipvs-sync/journal': expect.stringContaining('take-back') } },
      report: { verdict: 'out-of-step' },
    })
    expect(evidence.stdout).not.toContain(moved.adminToken)
    const again = await run(['rollout', 'abort', '--kubeconfig', moved.kubeconfig])
    expect([again.status, again.stdout]).toEqual([2, ''])
    expect(again.stderr).toContain('The rollout is aborted; it cannot be changed by abort.')
  })

  test('going on with other options goes on at their pace', async () => {
    const begun = await runProcess(['sync', ...place(), '--yes', '--canary-seconds', '600', '--settle-seconds', '0'], {
      running: (child) => {
        child.stderr?.on('data', (chunk) => String(chunk).includes('override written') && child.kill('SIGINT'))
      },
    })
    expect(begun.status).toBe(2)
    const quick = await runProcess(['sync', ...place(), '--yes', ...fast], {
      running: (child) => {
        child.stderr?.on('data', (chunk) => String(chunk).includes('another pace') && child.kill('SIGINT'))
      },
    })
    expect(quick.stderr).toContain('rollout continues at another pace')
    const { stdout } = await run(['rollout', 'status', '--kubeconfig', moved.kubeconfig, '-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ rollout: { pace: { canarySeconds: 0 } } })
  })

  test('--yes brings the cluster in step: the new range stands in both places and no override is left', async () => {
    const ended = await run(['sync', ...place(), '--yes', ...fast, '-o', 'json'])
    expect(ended.stderr).toContain('override written')
    // It was used in the look before and in the one after.
    expect(ended.stderr).not.toContain('--service-node-port-range is not used')
    expect(reportIn(ended).verdict).toBe('in-step')
    expect(ended.status).toBe(0)
    const objects = await felixObjects(moved)
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['default'])
    expect(objects[0]?.metadata.annotations?.[rangeKey]).toBe('20000:22767')
    expect(objects[0]?.spec.kubeNodePortRanges).toEqual(['20000:22767'])
  })

  test('an interrupted rollout that has nothing left to write is finished', async () => {
    // As a process leaves it that is killed after its last write.
    const annotations = { 'calico-ipvs-sync/state': 'running', 'calico-ipvs-sync/finished-at': null }
    await moved.request('PATCH', leasePath, { metadata: { annotations } }, 'application/merge-patch+json')
    const ended = await run(['sync', ...place(), '--yes', ...fast])
    expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining('a rollout is not finished')])
    const { stdout } = await run(['rollout', 'status', '--kubeconfig', moved.kubeconfig, '-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ rollout: { state: 'done' } })
  })

  test('a second time there is nothing to do, and nothing is written, no Lease either', async () => {
    const writes = await writesDuring(moved, async () => {
      const ended = await run(['sync', ...place(), '--yes'])
      expect(ended.status).toBe(0)
    })
    expect(writes).toEqual([])
  })
})
