import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { PlainAnswer } from '../../lab/embedded/faults.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import { notices as topic } from '../../shared/clients/aws/notices.ts'
import { packed } from '../../shared/clients/aws/records-body.ts'
import { slackBody } from '../../shared/clients/slack-blocks.ts'
import { slackNoticeIn } from '../../shared/clients/slack-notice.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { kept } from '../../shared/domain/capture/kept.ts'
import { noticeOf } from '../../shared/domain/notice/notice.ts'
import { safeJson } from '../../shared/domain/plain.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import type { Report } from '../../shared/domain/report.ts'
import { records } from '../../shared/clients/aws/records.ts'
import { read } from '../../shared/domain/read.ts'
import { logger } from '../../shared/log.ts'
import type { Telling } from '../../shared/messages.ts'
import { evaluate } from '../../shared/workflows/fleet/evaluate.ts'
import type { EvaluateTools } from '../../shared/workflows/fleet/tools.ts'
import * as looking from '../../shared/workflows/fleet/looking.ts'
import { sendNotice } from '../../shared/workflows/fleet/tell-send.ts'
import { csv } from '../../shared/report/csv.ts'
import { html } from '../../shared/report/html/report.ts'
import { json } from '../../shared/report/json.ts'
import { junit } from '../../shared/report/junit.ts'
import { sarif } from '../../shared/report/sarif.ts'
import { text } from '../../shared/report/text/report.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { runHere as run } from '../cli/here.ts'
import { mutated } from '../scale/wrong-types.ts'
import { controlsIn, plantedControls, plantedSecrets, secretsIn } from './planted-secrets.ts'

const workdir = mkdtempSync(join(tmpdir(), 'planted-'))
const own = 'our-own-opaque-token-4711'
let cluster: EmbeddedCluster
beforeAll(async () => {
  cluster = await startEmbedded({ name: 'planted', workdir })
  const calico = { version: 'v3.28.4', install: 'manifest' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
})
afterEach(() => cluster.faults.clear())
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})

type Doc = Record<string, unknown>
const all = [...plantedSecrets, ...plantedControls].map((it) => it.text)

/** Into every text that there is, or beside what is there, so that the cluster is still one that is judged in full. */
const everywhere = (texts: readonly string[]) => {
  let at = 0
  return (it: unknown, depth: number): unknown =>
    typeof it === 'string' && depth > 3 ? `${it} ${texts[((at += 1)) % texts.length]}` : it
}
const beside = (texts: readonly string[]) => {
  let at = 0
  const next = () => texts[(at += 1) % texts.length] ?? ''
  return (it: unknown): unknown => {
    if (typeof it !== 'object' || it === null || Array.isArray(it)) return it
    const doc = it as Doc
    if ('nodePortRanges' in doc) return doc
    if ('labels' in doc || 'annotations' in doc || 'resourceVersion' in doc)
      return {
        ...doc,
        labels: { ...(doc['labels'] as Doc), planted: next() },
        annotations: {
          ...(doc['annotations'] as Doc),
          planted: next(),
          'config.projectcalico.org/InterfaceExclude': next(),
          'config.projectcalico.org/KubeNodePortRanges': next(),
          'argocd.argoproj.io/tracking-id': next(),
          'unsupported.operator.tigera.io/ignore': 'true',
          'projectcalico.org/metadata': JSON.stringify({
            annotations: { planted: next() },
            labels: { planted: next() },
          }),
          'calico-ipvs-sync/reason': next(),
          'calico-ipvs-sync/state': 'halted',
          'calico-ipvs-sync/journal': next(),
          'calico-ipvs-sync/evidence': JSON.stringify({
            node: 'n',
            reason: next(),
            at: 't',
            log: [next(), next()],
            wrote: { object: next(), value: next() },
          }),
        },
      }
    if ('image' in doc && 'name' in doc)
      return {
        ...doc,
        args: [...((doc['args'] as string[]) ?? []), next(), `--password=${next()}`],
        env: [
          { name: 'FELIX_INTERFACEEXCLUDE', value: next() },
          { name: 'PLANTED', value: next() },
        ],
      }
    if ('config' in doc)
      return {
        ...doc,
        planted: next(),
        config: `${String(doc['config'])}\nplanted: ${JSON.stringify(next())}\nmode: ${JSON.stringify(next())}\n`,
      }
    return doc
  }
}

const rewrites =
  (change: (it: unknown, depth: number) => unknown) =>
  (answer: PlainAnswer): PlainAnswer => {
    try {
      return { ...answer, body: JSON.stringify(mutated(JSON.parse(answer.body), change)) }
    } catch {
      return {
        ...answer,
        body: answer.body
          .split('\n')
          .map((line) => `${line} ${change('', 9) as string}`)
          .join('\n'),
      }
    }
  }

const look = async (): Promise<ClusterState> => {
  const ca = Buffer.from(cluster.caData, 'base64').toString('utf8')
  const kube = kubeClient({ server: cluster.server, ca, token: async () => cluster.adminToken })
  try {
    return await observe({ kube, identity: { name: 'planted' }, now: new Date(), deep: true })
  } finally {
    kube.close()
  }
}

/** Everything that leaves: each form of the report, the capture, the record, the notice by mail and in Slack. */
const outputsOf = async (state: ClusterState): Promise<Record<string, string>> => {
  const assessment = assess(state, defaultPolicy)
  const report: Report = { ...assessment.report, plan: plan(assessment, state, defaultPolicy) }
  const notice = noticeOf(report, '', 'report') ?? { subject: '', text: '', severity: 'info' as const }
  const sent: unknown[] = []
  const sns = { send: async ({ input }: { input: unknown }) => ({ MessageId: String(sent.push(input)) }) } as never
  await topic(sns, { topicArn: 'arn' }).publish({
    ...notice,
    attributes: { severity: notice.severity, cluster: 'planted' },
  })
  const [{ Message = '{}', Subject = '' } = {}] = sent as { Message?: string; Subject?: string }[]
  const { default: mail = '', sqs = '' } = JSON.parse(Message) as Record<string, string>
  return {
    text: text(report),
    json: json(report),
    junit: junit(report),
    sarif: sarif(report),
    csv: csv(report),
    html: html(report),
    capture: safeJson(kept(state), 2),
    record: packed(report)['report']?.S ?? '',
    subject: Subject,
    mail,
    slack: slackBody(slackNoticeIn(Subject, sqs))
      .blocks.map((it) => ('text' in it ? it.text.text : it.elements.map(({ text }) => text).join('\n')))
      .join('\n'),
  }
}

const foundIn = (outputs: Record<string, string>, more: string[] = []): string[] =>
  Object.entries(outputs).flatMap(([form, it]) => [
    ...secretsIn(it).map((kind) => `${form}: ${kind}`),
    ...controlsIn(it).map((kind) => `${form}: ${kind}`),
    ...more.filter((secret) => it.includes(secret)).map((secret) => `${form}: ${secret}`),
  ])

describe('what is planted in a cluster leaves it nowhere', () => {
  test.each([
    ['in every text there is', everywhere],
    ['beside all that counts', beside],
  ])('%s', async (_, way) => {
    const kinds = new Set<string>()
    for (let shift = 0; shift < 12; shift += 1) {
      const texts = [...all.slice(shift * 5), ...all.slice(0, shift * 5)]
      const undo = cluster.faults.inject({ path: /./, rewriteAnswer: rewrites(way(texts)) })
      const outputs = await outputsOf(await look())
      expect({ shift, found: foundIn(outputs, [cluster.adminToken]) }).toEqual({ shift, found: [] })
      for (const [, code = ''] of (outputs['json'] ?? '').matchAll(/"code": "(\w+)"/g)) kinds.add(code)
      undo()
    }
    expect(kinds.size).toBeGreaterThan(way === beside ? 2 : 0)
  })

  test.each(['nodes', 'daemonsets', 'felixconfigurations', 'services', 'leases', 'configmaps', 'pods', 'version'])(
    'in the refusal of %s',
    async (what) => {
      for (const status of [401, 403, 500]) {
        const message = [...all, `Authorization: Bearer ${cluster.adminToken}`, cluster.adminToken].join('\n')
        for (const body of [{ kind: 'Status', message, reason: message }, message]) {
          const undo = cluster.faults.inject({
            path: new RegExp(what),
            answer: { status, body, contentType: 'application/json' },
          })
          expect(foundIn(await outputsOf(await look()), [cluster.adminToken])).toEqual([])
          undo()
        }
      }
    },
  )

  test('a server that sends our own token back in every name', async () => {
    cluster.faults.inject({
      path: /./,
      rewriteAnswer: rewrites(everywhere([cluster.adminToken, Buffer.from(cluster.adminToken).toString('base64')])),
    })
    const state = await look()
    expect(JSON.stringify(state)).not.toContain(cluster.adminToken)
    expect(foundIn(await outputsOf(state), [cluster.adminToken])).toEqual([])
  })
})

describe('a look of the deployed hub', () => {
  const ref = { account: '111122223333', region: 'eu-west-1', name: 'planted' }
  const arn = `arn:aws:eks:${ref.region}:${ref.account}:cluster/${ref.name}`
  type Item = Record<string, { S?: string; B?: Uint8Array }>

  /** What our Lease may be made to say: a rollout that halted, with everything in its reason, its evidence and its journal. */
  const leaseOf = (texts: readonly string[]) => {
    const at = new Date(Date.now() - 60_000).toISOString()
    const [a = '', b = '', c = '', ...more] = texts
    const entry = (text: string) =>
      `${at} r1 override FelixConfiguration/node.n ${encodeURI(a.toWellFormed())} -> b by ${text} because ${c}`
    const annotations = {
      'calico-ipvs-sync/rollout': 'aaaabbbbcccc',
      'calico-ipvs-sync/state': 'halted',
      'calico-ipvs-sync/phase': 'range',
      'calico-ipvs-sync/target': '20000:32767',
      'calico-ipvs-sync/pace': JSON.stringify({
        strategy: 'staged',
        maxUnavailable: 1,
        canarySeconds: 30,
        settleSeconds: 10,
        nodeDeadlineSeconds: 300,
      }),
      'calico-ipvs-sync/where': JSON.stringify({ api: 'crd.projectcalico.org/v1' }),
      'calico-ipvs-sync/started-at': at,
      'calico-ipvs-sync/why': a,
      'calico-ipvs-sync/reason': b,
      'calico-ipvs-sync/journal': texts.map((it) => entry(it)).join('\n'),
      'calico-ipvs-sync/evidence': JSON.stringify({
        node: c,
        reason: a,
        at,
        log: more,
        wrote: { object: b, value: c },
      }),
    }
    const metadata = { name: 'calico-ipvs-sync', namespace: 'kube-system', resourceVersion: '1', annotations }
    return { kind: 'Lease', metadata, spec: { holderIdentity: b, renewTime: at.replace('Z', '000Z') } }
  }

  /** One look: all that is put on record, sent to queues and people, and logged. `cause`: what the event said. */
  const evaluated = async (state: ClusterState, cause: string) => {
    const stored = new Map<string, Item>()
    const keyOf = (it: Item) => `${it['cluster']?.S} ${it['record']?.S}`
    const send = async ({ input }: { input: { Item?: Item; Key?: Item } }) => {
      if (input.Item) stored.set(keyOf(input.Item), input.Item)
      return input.Key ? { Item: stored.get(keyOf(input.Key)) } : {}
    }
    const [queued, sent, logged]: [unknown[], unknown[], string[]] = [[], [], []]
    const spies = [process.stdout, process.stderr].map((it) =>
      jest.spyOn(it, 'write').mockImplementation((text) => logged.push(String(text)) > 0),
    )
    const { log } = logger('evaluate')
    const telling: Telling[] = []
    const notices = topic(
      { send: async ({ input }: { input: unknown }) => ({ MessageId: String(sent.push(input)) }) } as never,
      {
        topicArn: 'arn',
      },
    )
    const tools: EvaluateTools = {
      fleet: { own: ref.account, regions: [ref.region], accounts: [{ account: ref.account }] },
      describe: async () => read({ state: { arn, status: 'ACTIVE', tags: {}, autoMode: false } } as never),
      observe: async () => state,
      looking: async () => looking,
      records: records({ send } as never, 'table'),
      queues: {
        sendEvaluation: async (message) => void queued.push(message),
        sendEvaluations: async (messages) => void queued.push(messages),
        sendRolloutStep: async (message) => void queued.push(message),
        sendTelling: async (message) => void telling.push(message),
      },
      policy: defaultPolicy,
      now: () => new Date(),
      log,
    }
    try {
      const about = { schemaVersion: 1, cluster: ref, reason: 'event', cause, attempt: 6 } as const
      await evaluate(tools, about, { messageId: 'm' })
      for (const message of telling) await sendNotice({ ...tools, notices }, message)
      log('failed', { error: new Error(cause), cause })
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
    const packedIn = [...stored.values()].map(
      (it) => it['packed']?.B && brotliDecompressSync(it['packed'].B).toString(),
    )
    const [{ Message = '', Subject = '' } = {}] = sent as { Message?: string; Subject?: string }[]
    const { default: mail = '' } = JSON.parse(Message || '{}') as { default?: string }
    return {
      records: [...stored.values()].flatMap((it) => Object.values(it).map(({ S = '' }) => S)).join(' '),
      packed: packedIn.join(' '),
      queued: JSON.stringify([...queued, ...telling]),
      attributes: JSON.stringify(sent),
      subject: Subject,
      mail,
      log: logged.join(' '),
      logged: JSON.stringify(
        logged
          .join('')
          .trim()
          .split('\n')
          .map((it) => JSON.parse(it) as unknown),
      ),
      kinds: [...stored.values()].map((it) => it['record']?.S?.split('#')[0]).join(' '),
    }
  }

  test.each([
    ['in every text there is', everywhere],
    ['beside all that counts', beside],
    ['in the Lease', undefined],
  ])('%s: nothing on record, in queues, in notices and in the log holds it', async (_, way) => {
    const kinds = new Set<string>()
    let mails = 0
    for (let shift = 0; shift < 12; shift += 1) {
      const texts = [...all.slice(shift * 5), ...all.slice(0, shift * 5)]
      if (way) cluster.faults.inject({ path: /./, rewriteAnswer: rewrites(way(texts)) })
      cluster.faults.inject({ path: /leases\/calico-ipvs-sync/, answer: { status: 200, body: leaseOf(texts) } })
      const state = { ...(await look()), cluster: ref }
      cluster.faults.clear()
      const { kinds: stored, ...outputs } = await evaluated(state, texts.slice(0, 3).join(' '))
      expect({ shift, found: foundIn(outputs, [cluster.adminToken]) }).toEqual({ shift, found: [] })
      for (const kind of stored.split(' ')) kinds.add(kind)
      mails += outputs.mail === '' ? 0 : 1
    }
    expect(mails).toBeGreaterThan(5)
    expect(kinds).toEqual(
      new Set(
        ['assessment', 'incident', 'notice', 'switch', 'told', 'verdicts'].concat(
          way === beside ? [] : ['claim', 'writes'],
        ),
      ),
    )
  })
})

describe('the command line', () => {
  const config = (user: object, over: object = {}): string => {
    mkdirSync(workdir, { recursive: true })
    const file = join(workdir, `config-${Math.random().toString(36).slice(2)}`)
    const document = {
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [
        { name: 'c', cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData, ...over } },
      ],
      users: [{ name: 'u', user }],
    }
    writeFileSync(file, JSON.stringify(document))
    return file
  }
  const commands = [
    ['check'],
    ['check', '-o', 'json'],
    ['plan', '-o', 'sarif'],
    ['capture'],
    ['doctor'],
    ['doctor', '-o', 'json'],
    ['rollout', 'evidence'],
    ['rollout', 'status'],
    ['sync', '--yes', '--debug'],
  ]
  const outcomes = async (file: string): Promise<string[]> => {
    const found: string[] = []
    for (const words of commands) {
      const { stdout, stderr } = await run([...words, '--kubeconfig', file])
      expect(stdout + stderr).not.toBe('')
      found.push(
        ...foundIn({ [`${words.join(' ')} stdout`]: stdout, [`${words.join(' ')} stderr`]: stderr }, [
          own,
          'hunter2hunter',
          'sesame-env',
        ]),
      )
    }
    return found
  }

  test('of a cluster in which everything is planted', async () => {
    cluster.faults.inject({ path: /./, rewriteAnswer: rewrites(beside(all)) })
    expect(await outcomes(config({ token: cluster.adminToken }))).toEqual([])
  }, 120_000)

  test('of a server that refuses, and tells what it was sent', async () => {
    cluster.faults.inject({
      path: /./,
      answer: { status: 403, body: { kind: 'Status', message: `denied: ${own} ${all.join('\n')}` } },
    })
    expect(await outcomes(config({ token: own }))).toEqual([])
  }, 120_000)

  test('of a kubeconfig with a login in its address, and a server that is none', async () => {
    for (const server of [
      'https://admin:hunter2hunter@127.0.0.1:1',
      'http://admin:hunter2hunter@127.0.0.1',
      'admin:hunter2hunter@127.0.0.1',
    ])
      expect(await outcomes(config({ token: own }, { server }))).toEqual([])
  }, 180_000)

  test('of a plugin that says all it knows', async () => {
    const script = join(workdir, 'plugin.sh')
    const said = [...all, own, 'sesame-env', 'sesame-arg'].join('\n')
    writeFileSync(join(workdir, 'said'), said)
    writeFileSync(
      script,
      `#!/bin/sh\ncat '${join(workdir, 'said')}' >&2\necho '{"status":{"token":"${own}"}}'\nexit 1\n`,
      { mode: 0o755 },
    )
    const exec = {
      command: script,
      args: ['--client-secret', 'sesame-arg'],
      env: [{ name: 'MY_TOKEN', value: 'sesame-env' }],
    }
    const file = config({ exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', ...exec } })
    expect(await outcomes(file)).toEqual([])
  }, 120_000)

  test('of a kubeconfig that is no YAML just where its token stands', async () => {
    const file = join(workdir, 'broken')
    for (const line of [
      `token: *${own}`,
      `token: "${own}`,
      `token: ${own}: x: y`,
      `\ttoken: ${own}`,
      `token: !!${own} x`,
    ]) {
      writeFileSync(file, `users:\n- name: u\n  user:\n    ${line}\n`)
      const { stdout, stderr } = await run(['check', '--kubeconfig', file])
      expect({ line, found: (stdout + stderr).includes(own) }).toEqual({ line, found: false })
    }
  }, 60_000)
})
