import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { html } from '../../shared/report/html/report.ts'
import { style, styleHash } from '../../shared/report/html/style.ts'
import { fleet, hostile, node, outOfStep, report, sweep, unreachable } from './samples.ts'

const pages = () => [html(report()), html(outOfStep), html(unreachable), html(sweep), html(hostile())]

test('the policy lets nothing load and nothing run, and only this style sheet apply', () => {
  const hash = createHash('sha256').update(style).digest('base64')
  expect(styleHash).toBe(`sha256-${hash}`)
  for (const page of pages()) {
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    )
    expect(page.match(/<style>/g)).toHaveLength(1)
  }
})

test('a page needs nothing but itself', () => {
  for (const page of pages()) {
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base|form)\b/i)
    for (const [, value] of attributes(page, /href|src|action/)) expect(value).toMatch(/^#cluster-\d+$/)
  }
})

test('whatever stands in a cluster is text: it opens no element and no attribute', () => {
  const known = new Set(elements(html(outOfStep)))
  for (const document of [hostile(), { ...sweep, clusters: [hostile(), hostile()] }]) {
    const page = html(document)
    expect(elements(page).filter((name) => !known.has(name) && !fleetOnly.has(name))).toEqual([])
    expect(attributes(page, /on\w+|style/)).toEqual([])
    expect(page).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  }
})

test('every element that is opened is closed', () => {
  for (const page of pages()) {
    const open: string[] = []
    for (const [, closing, name = '', rest] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
      if (['meta', 'input'].includes(name) || rest?.endsWith('/')) continue
      if (closing === '') open.push(name)
      else expect(open.pop()).toBe(name)
    }
    expect(open).toEqual([])
  }
})

test('the picture says in words what it shows in colours', () => {
  expect(html(outOfStep)).toContain('role="img" aria-label="4 nodes: 2 out of step, 1 in step, 1 not applicable"')
  expect(html(sweep)).toContain('aria-label="1 out of step, 1 unknown, 1 in step"')
})

test('each name in the table of a fleet leads to the details of that very cluster', () => {
  const page = html(fleet(20, 3))
  const order = [...page.matchAll(/href="#(cluster-\d+)">([^<]*)</g)].map(([, anchor, name]) => [anchor, name])
  const inside = /<summary><span class="name">([^<]*)<(?:(?!<\/summary>).)*<\/summary>\n<div id="(cluster-\d+)">/g
  const details = [...page.matchAll(inside)].map(([, name, anchor]) => [anchor, name])
  expect(order).toHaveLength(20)
  expect(details).toEqual(order)
})

test('two hundred clusters of fifty nodes stay below a megabyte, ten thousand nodes below a quarter', () => {
  expect(html(fleet(200, 50)).length).toBeLessThan(1_000_000)
  expect(html(report({ nodes: Array.from({ length: 10_000 }, (_, at) => node(at)) })).length).toBeLessThan(250_000)
})

test('all node names are on the page', () => {
  const page = html(report({ nodes: Array.from({ length: 300 }, (_, at) => node(at)) }))
  for (let at = 0; at < 300; at += 1) expect(page).toContain(`ip-10-0-${Math.floor(at / 250)}-${at % 250}`)
})

/** Elements that only a fleet's page has. */
const fleetOnly = new Set(['a', 'time', 'fieldset', 'legend', 'label', 'input', 'h2'])

const elements = (page: string): string[] => [
  ...new Set([...page.matchAll(/<([a-zA-Z!][\w-]*)/g)].map(([, name = '']) => name)),
]

const attributes = (page: string, names: RegExp): [string, string][] =>
  [...page.matchAll(/<[a-z][^<>]*>/g)].flatMap(([tag]) =>
    [...tag.matchAll(/\s([a-z-]+)="([^"]*)"/g)]
      .filter(([, name = '']) => new RegExp(`^(${names.source})$`).test(name))
      .map(([, name = '', value = '']): [string, string] => [name, value]),
  )
