import { expect, test } from '@jest/globals'
import type { Finding } from '../../shared/domain/report.ts'
import { junit } from '../../shared/report/junit.ts'
import { hostile, outOfStep, sweep } from './samples.ts'

test('a pipeline sees a suite per cluster and a case per node, red where the cluster is not in step', () => {
  const text = junit(sweep)
  expect(text).toMatch(/^<testsuites>$/m)
  expect(text).toMatch(/<testsuite name="edge-7" .* tests="1" failures="0" errors="1" skipped="0" time="0">/)
  expect(text).toMatch(
    /<testsuite name="prod-2" .* timestamp="2026-11-20T09:30:00" tests="5" failures="3" errors="0" skipped="1" /,
  )
  expect(text).toContain('<error type="unknown" message="https://10.9.9.9 does not answer: connection refused.">')
  expect(text).toContain('<skipped message="Fargate runs no calico-node"/>')
})

test('the case of a cluster carries its findings with evidence and remedy', () => {
  expect(junit(outOfStep)).toContain('critical RANGE_DIFFERS FelixConfiguration/default: Felix protects')
  expect(junit(outOfStep)).toContain('do kubectl annotate felixconfiguration default')
})

test('it is well-formed XML, whatever stands in the cluster', () => {
  for (const document of [sweep, outOfStep, hostile()]) expect(faultIn(junit(document))).toBeUndefined()
})

/** The first thing that is not XML of elements, quoted attributes and escaped text, properly nested. */
const faultIn = (xml: string): string | undefined => {
  const body = xml.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, '')
  // oxlint-disable-next-line no-control-regex
  const illegal = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/.exec(
    body.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''),
  )
  if (illegal) return `character ${illegal[0].codePointAt(0)}`
  const token = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|((?:[^<&]|&(?:amp|lt|gt|quot|#39);)+)/gy
  const open: string[] = []
  while (token.lastIndex < body.length) {
    const at = token.lastIndex
    const [, closing, name = '', , empty, text] = token.exec(body) ?? []
    if (name === '' && text === undefined) return body.slice(at, at + 80)
    if (text !== undefined || empty === '/') continue
    if (closing === '') open.push(name)
    else if (open.pop() !== name) return `</${name}>`
  }
  return open.at(0)
}

test('a node that fails is explained by what is wrong, never by what is only good to know', () => {
  const [node] = outOfStep.nodes
  if (!node) throw new Error('the sample has no node')
  const message = 'IPVS will go one day'
  const deprecated: Finding = {
    code: 'IPVS_DEPRECATED',
    severity: 'info',
    subject: `node/${node.name}`,
    message,
    evidence: [],
  }
  const findings = [...outOfStep.findings, deprecated]
  const failing = { ...node, verdict: 'out-of-step' as const }
  const text = junit({ ...outOfStep, findings, nodes: [failing] })
  expect(text).not.toMatch(/<failure[^>]*message="IPVS will go one day"/)
  expect(text).toMatch(new RegExp(`node/${node.name}"[^>]*>\\s*<failure type="out-of-step" message="Felix protects`))
})
