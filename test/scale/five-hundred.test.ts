import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { addOtherPods, makeMixedCluster, tellSecondPoolIpvs } from '../verify/bench/mixed-cluster.ts'
import { expectedOf, mixedNodes } from '../verify/bench/mixed-plan.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import type { NodeReport } from '../../shared/domain/report.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { type Measured, measured } from './measured.ts'

const seed = 20_261_123
const nodes = mixedNodes(500, seed)
const workdir = mkdtempSync(join(tmpdir(), 'five-hundred-'))
const logs = /\/log\?/

let cluster: EmbeddedCluster
beforeAll(async () => {
  cluster = await startEmbedded({ name: 'five-hundred', workdir })
  await makeMixedCluster(cluster, nodes)
})
afterAll(async () => {
  await cluster.stop()
  rmSync(workdir, { recursive: true })
})

/** Nothing is claimed of a range that nobody gave. */
const given = ['--service-node-port-range', '30000-32767']

const check = (): Promise<Measured> => {
  cluster.faults.forget()
  return measured(['check', '--kubeconfig', cluster.kubeconfig, ...given, '-o', 'json', '--quiet'], workdir)
}

/** What is said of a node and was drawn; the rest is its room for pods and a reason. */
const told = (node: NodeReport) =>
  Object.fromEntries(Object.entries(node).filter(([field]) => field !== 'podsMax' && field !== 'reason'))
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
const expected = nodes.map((node) => ({ name: node.name, ...expectedOf(node) })).toSorted(byName)

describe(`500 nodes drawn from seed ${seed}`, () => {
  test('hold every case', () => {
    const cases = nodes.map(({ kind, pool, override, tier }) => [kind, pool, override, tier])
    for (const it of ['fargate', 'auto', 'windows', 'ipvs', 'iptables', 'same', 'narrow', 'none', 'hyphen', 'field'])
      expect(cases.flat()).toContain(it)
    expect(new Set(expected.map(({ rangeSource }) => rangeSource)).size).toBe(4)
    expect(new Set(expected.map(({ verdict }) => verdict))).toEqual(
      new Set(['in-step', 'out-of-step', 'not-applicable']),
    )
  })

  test('are each reported as drawn, with at most 12 requests, in a few seconds', async () => {
    const { status, stdout, stderr, seconds, peakMb } = await check()
    const report = reportSchema.parse(JSON.parse(stdout))
    expect(report.nodes.toSorted(byName).map(told)).toEqual(expected)
    expect(report.verdict).toBe('out-of-step')
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(cluster.faults.count()).toBeLessThanOrEqual(12)
    process.stdout.write(`check of 500 nodes: ${seconds.toFixed(2)} s with its process, peak ${peakMb.toFixed(0)} MB\n`)
    // A bound for the slowest of machines; what it really takes is printed.
    expect(seconds).toBeLessThan(20)
  })

  test('take no more memory and no more requests with twenty times as many other pods', async () => {
    await addOtherPods(cluster, nodes, { first: 0, count: 150 })
    const few = await check()
    await addOtherPods(cluster, nodes, { first: 150, count: 2_850 })
    const many = await check()
    process.stdout.write(
      `peak with 150 other pods ${few.peakMb.toFixed(0)} MB, with 3,000 ${many.peakMb.toFixed(0)} MB\n`,
    )
    expect(cluster.faults.count()).toBeLessThanOrEqual(12)
    expect(JSON.parse(many.stdout)).toMatchObject({ verdict: 'out-of-step' })
    expect(many.peakMb).toBeLessThan(few.peakMb + 25)
    expect(many.peakMb).toBeLessThan(250)
  }, 120_000)

  test('whose kube-proxies were told another mode are told apart by five logs', async () => {
    await tellSecondPoolIpvs(cluster)
    const { stdout } = await check()
    const { nodes: reported, findings } = reportSchema.parse(JSON.parse(stdout))
    const modeOf = ({ name, runningMode }: Pick<NodeReport, 'name' | 'runningMode'>) => `${name} ${runningMode}`
    expect(reported.map(modeOf).toSorted()).toEqual(expected.map(modeOf).toSorted())
    const proven = reported.filter(({ confidence }) => confidence === 'proven')
    expect(proven.map(({ runningMode }) => runningMode)).toEqual(Array(5).fill('iptables'))
    expect(findings.map(({ code }) => code)).toContain('MODE_NOT_ROLLED')
    expect(cluster.faults.count({ path: logs })).toBe(5)
    expect(cluster.faults.count()).toBeLessThanOrEqual(12 + 5)
  })
})
