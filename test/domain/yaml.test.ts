import { describe, expect, test } from '@jest/globals'
import { yamlOf } from '../../shared/domain/proxy-mode/yaml.ts'

describe('a document is read as kube-proxy reads it', () => {
  test.each([
    ['', null],
    ['# nothing\n', null],
    ['---\nmode: ipvs\n', { mode: 'ipvs' }],
    ['{"mode": "ipvs", "iptables": {"masqueradeBit": 14}}', { mode: 'ipvs', iptables: { masqueradeBit: 14 } }],
    ['a: yes\nb: Off\nc: "no"\nd: n', { a: true, b: false, c: 'no', d: false }],
    ['a: 016\nb: 0x10\nc: 0b11\nd: 1_000\ne: "016"', { a: 14, b: 16, c: 3, d: 1000, e: '016' }],
    ['a: ~\nb:\nc: null', { a: null, b: null, c: null }],
    ['mode: iptables\nmode: ipvs', { mode: 'ipvs' }],
    ['x: &x {a: 1, b: 2}\nz: {<<: *x, b: 3}', { x: { a: 1, b: 2 }, z: { a: 1, b: 3 } }],
    ['metricsBindAddress: 0.0.0.0:10249', { metricsBindAddress: '0.0.0.0:10249' }],
    ['mode: |\n  ipvs\n', { mode: 'ipvs\n' }],
    ['1: one\ntrue: yes', { 1: 'one', true: true }],
    ['__proto__: {mode: ipvs}', JSON.parse('{"__proto__": {"mode": "ipvs"}}')],
  ])('%p', (text, expected) => {
    expect(yamlOf(text)).toEqual(expected)
  })

  test('a key of its prototype is no property', () => {
    expect((yamlOf('__proto__: {mode: ipvs}') as { mode?: string }).mode).toBeUndefined()
  })
})

const levels = (count: number, each: (level: number) => string) =>
  Array.from({ length: count }, (_, it) => each(it)).join('\n')

describe('a document is rejected', () => {
  test.each([
    ['that is not YAML', '{ mode: ['],
    ['with a list as a key', '? [a]\n: b'],
    ['with a map as a key', '{mode: x}: ipvs'],
    ['of which there are two', 'mode: ipvs\n---\nmode: iptables'],
    ['that contains itself', 'mode: &a {mode: *a}'],
    ['that contains itself in a list', '&a [*a]'],
    [
      'with aliases in aliases',
      `a0: &a0 [x, x, x, x]\n${levels(24, (it) => `a${it + 1}: &a${it + 1} [*a${it}, *a${it}, *a${it}]`)}`,
    ],
    ['with many aliases of a long text', `x: &x ${'y'.repeat(30_000)}\nmode: [${'*x, '.repeat(99)}*x]`],
    ['with an alias of nothing', 'mode: *x'],
    ['deep without end', '['.repeat(50_000)],
  ])('%s', (_, text) => {
    expect(() => yamlOf(text)).toThrow()
  })
})
