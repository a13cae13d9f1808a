import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { runHere as run } from '../cli/here.ts'
import { startTables, type Tables } from '../verify/crash/outside.ts'
import { runOnce } from '../verify/crash/run.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { failFelixOn, failFelixWith, setTheStage, type Stage, syncTools } from './stage.ts'

/** What people read of a halt, side by side: in out/halts/, a page for each strategy and way. */
const folder = join(import.meta.dirname, '../../out/halts')
const target = '20000:32767'
const pace = { canarySeconds: 2, settleSeconds: 2, nodeDeadlineSeconds: 5 }
let stage: Stage
let tables: Tables

beforeEach(async () => {
  ;[stage, tables] = await Promise.all([setTheStage('embedded', 3), startTables()])
}, 60_000)
afterEach(async () => {
  await tables?.stop()
  await stage?.stop()
}, 30_000)

const commands = ['check', 'rollout status', 'rollout log', 'rollout evidence']
const asked = async (): Promise<Record<string, string>> => {
  const place = ['--kubeconfig', stage.cluster.kubeconfig, '--service-node-port-range', '20000-32767']
  const texts: Record<string, string> = {}
  for (const command of commands) texts[command] = (await run([...command.split(' '), ...place])).stdout
  return texts
}

const broken = async (strategy: string): Promise<{ node: () => string; stop: () => Promise<void> | void }> => {
  if (strategy !== 'staged') {
    const ill = stage.nodes[1] ?? ''
    return { node: () => ill, ...(await failFelixWith(stage, ill, target)) }
  }
  let struck = ''
  const felix = await failFelixOn(stage, (node) => {
    struck = node
    stage.observer.broken.add(node)
  })
  return { node: () => struck, stop: felix.stop }
}

describe.each(['staged', 'canary', 'direct'] as const)('a rollout with %s that halts', (strategy) => {
  test.each(['command-line', 'lambda'] as const)(
    'is told by %s so that a tired person knows what is so, who acts and what to do',
    async (way) => {
      const policy = policyWith({ action: 'sync', strategy, ...pace })
      const it = await broken(strategy)
      const notices: { subject: string; text: string }[] = []
      if (way === 'lambda')
        notices.push(
          ...(await runOnce(stage, tables.dynamo, { name: 'prod', policy: { strategy, ...pace } })).published,
        )
      else expect(await sync(syncTools(stage, policy), policy)).toMatchObject({ end: 'halted' })
      await stage.observer.caughtUp()
      await it.stop()
      const texts = await asked()
      const pages = [
        ...notices.map(
          ({ subject, text }) => `## Notice: ${subject}\n\n${(JSON.parse(text) as { default: string }).default}`,
        ),
        ...Object.entries(texts).map(([command, text]) => `## ${command}\n\n\`\`\`\n${text}\`\`\``),
      ]
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `${strategy}-${way}.md`), `# A halt: ${strategy}, ${way}\n\n${pages.join('\n\n')}\n`)

      const { 'rollout evidence': evidence = '', ...read } = texts
      for (const text of Object.values(read)) expect(text).toContain(it.node())
      expect(evidence).toContain(it.node())
      const putBack =
        strategy === 'staged'
          ? {
              inWords: /was undone \(our override was removed\)/,
              inLog: /roll-back {2}FelixConfiguration\/node\.\S+ {2}20000:32767 -> nothing/,
            }
          : {
              inWords: /was undone \(FelixConfiguration\/default has its former value again/,
              inLog:
                /put-back +FelixConfiguration\/default {2}20000:32767 -> nothing .* because a node that got its range from default/,
            }
      const wasPutBack = putBack.inWords
      const impact =
        /For users: (urgent\. Until calico-node is Ready on |not urgent, it can wait\. Calico-node is Ready on )/
      for (const command of ['check', 'rollout status']) {
        expect(texts[command]).toMatch(wasPutBack)
        expect(texts[command]).toMatch(impact)
      }
      expect(texts['rollout log']).toMatch(putBack.inLog)
      // Whatever is written after a halt says what it is for.
      const [writes = '', closing] = (texts['rollout log'] ?? '').split('\n\n')
      expect(closing).toMatch(/^HALTED .*\n {2}What happened, and what to do: calico-ipvs-sync rollout status --/)
      const after = writes.split('  halt  ')[1]?.split('\n').slice(1).filter(Boolean) ?? []
      expect(after.filter((line) => !line.includes('  because '))).toEqual([])
      expect(
        after.filter((line) => line.includes('  override ') && !line.includes('the node is well with it')),
      ).toEqual([])
      // Nobody waits for a node any more.
      expect(texts['rollout status']).toMatch(/ 0 in flight, /)
      const codes = /^(\w+) +NODES_NOT_READY/m.exec(texts['check'] ?? '')
      expect(codes?.[1] ?? 'warning').toBe('warning')
      const halts = notices.filter(({ subject }) => subject.includes('halted'))
      expect(halts).toHaveLength(way === 'lambda' ? 1 : 0)
      for (const { subject, text: message } of halts) {
        const { default: text } = JSON.parse(message) as { default: string }
        expect(subject).toMatch(/^\[critical\] prod .*: rollout halted on /)
        expect(text.split('\n')[0]).toMatch(
          /: rollout halted on .*\. Nothing more is changed in this cluster until a person decides\.$/,
        )
        expect(text).toContain('rollout resume')
        expect(text).toContain(it.node())
        expect(text).toMatch(wasPutBack)
        expect(text).toMatch(impact)
      }
      for (const text of [...Object.values(read), ...halts.map((one) => one.text)])
        expect(text).not.toMatch(/patch felixconfigurations\S* default/)
    },
    60_000,
  )
})
