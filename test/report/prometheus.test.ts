import { expect, test } from '@jest/globals'
import { prometheus } from '../../shared/report/prometheus.ts'
import { hostile, outOfStep, report, sweep } from './samples.ts'

/** https://prometheus.io/docs/instrumenting/exposition_formats/: a sample is a name, labels whose values are escaped, and a number. */
const sample = /^[a-z_]+\{([a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\} \d+(\.\d+)?$/

test('each verdict is a series that is 1 for the one the cluster has', () => {
  const lines = prometheus(outOfStep).split('\n')
  const labels = 'cluster="prod-1",account="123456789012",region="eu-central-1"'
  expect(lines).toContain(`calico_ipvs_sync_verdict{${labels},verdict="out-of-step"} 1`)
  expect(lines).toContain(`calico_ipvs_sync_verdict{${labels},verdict="in-step"} 0`)
  expect(lines).toContain(`calico_ipvs_sync_nodes{${labels},verdict="out-of-step"} 2`)
  expect(lines).toContain(`calico_ipvs_sync_findings{${labels},code="RANGE_DIFFERS",severity="critical"} 1`)
  expect(lines).toContain(`calico_ipvs_sync_observed_seconds{${labels}} ${Date.parse(outOfStep.observedAt) / 1000}`)
})

test('whatever others wrote into a cluster, each line is a comment or a sample, and no series comes twice', () => {
  const byAnotherContext = report({ ...outOfStep, cluster: { ...outOfStep.cluster, context: 'admin' } })
  const twice = { ...sweep, clusters: [outOfStep, byAnotherContext, outOfStep] }
  for (const document of [report(), sweep, twice, hostile()]) {
    const lines = prometheus(document).trimEnd().split('\n')
    const samples = lines.filter((line) => !line.startsWith('# '))
    expect(samples.filter((line) => !sample.test(line))).toEqual([])
    const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')))
    expect(new Set(series).size).toBe(series.length)
  }
})
