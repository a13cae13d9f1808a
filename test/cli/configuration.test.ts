import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { applyConfiguration } from '../../cli/configuration/apply.ts'
import { configurationIn } from '../../cli/configuration/file.ts'
import { withoutExcepted } from '../../cli/configuration/excepted.ts'
import { statusOf } from '../../cli/exit-status.ts'
import { programOf } from '../../cli/main.ts'
import { outOfStep, unreachable } from '../report/samples.ts'
import { runHere as run } from './here.ts'

const folder = mkdtempSync(join(tmpdir(), 'configuration-'))
const file = join(folder, 'config.yaml')
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() =>
  writeFileSync(
    file,
    `kubeconfig: clusters
context: prod-1
contexts: [prod-1, prod-2]
ranges:
  prod-1: 20000-32767
exceptions:
  - {cluster: "*/prod-2", code: RANGE_DIFFERS, until: 2027-03-31, reason: it moves}
`,
  ),
)

/** The options of a command, as its action would get them. */
const optionsOf = async (...words: string[]): Promise<Record<string, unknown>> => {
  let seen: Record<string, unknown> = {}
  const program = programOf(() => undefined)
  for (const command of program.commands)
    command.action(() => {
      seen = command.opts()
    })
  await program.parseAsync(words, { from: 'user' })
  return seen
}

describe('what the command line does not say is taken from the file', () => {
  test('of one cluster: kubeconfig beside the file, context, its range, exceptions', async () => {
    expect(await optionsOf('check', '--config', file)).toMatchObject({
      kubeconfig: join(folder, 'clusters'),
      context: 'prod-1',
      serviceNodePortRange: { min: 20000, max: 32767 },
      exceptions: [{ cluster: '*/prod-2', code: 'RANGE_DIFFERS', until: '2027-03-31', reason: 'it moves' }],
    })
  })

  test('a sweep takes the contexts, and the ranges of each', async () => {
    expect(await optionsOf('sweep', '--config', file)).toMatchObject({
      context: ['prod-1', 'prod-2'],
      ranges: { 'prod-1': { min: 20000, max: 32767 } },
    })
  })

  test('the command line counts more, and nobody is led to another cluster than is named', async () => {
    const other = await optionsOf('check', '--config', file, '--context', 'other')
    expect([other['context'], other['serviceNodePortRange']]).toEqual(['other', undefined])
    const given = await optionsOf('check', '--config', file, '--service-node-port-range', '30000-32767')
    expect(given['serviceNodePortRange']).toEqual({ min: 30000, max: 32767 })
    expect((await optionsOf('check', '--config', file, '--probe'))['serviceNodePortRange']).toBeUndefined()
    const eks = await optionsOf('check', '--config', file, '--cluster', 'prod-1', '--region', 'eu-west-1')
    expect([eks['context'], eks['kubeconfig'], eks['serviceNodePortRange']]).toEqual([
      undefined,
      undefined,
      { min: 20000, max: 32767 },
    ])
    const captured = await optionsOf('check', '--config', file, '--state', 'x.json')
    expect([captured['context'], captured['serviceNodePortRange']]).toEqual([undefined, undefined])
    expect((await optionsOf('sweep', '--config', file, '--region', 'eu-west-1'))['context']).toBeUndefined()
  })

  test('without a file that is named nothing is read', () => {
    expect(applyConfiguration(programOf(() => undefined))).toBeUndefined()
  })
})

describe('a file that is not right is refused whole, with what may have been meant', () => {
  test.each([
    ['contxt: a', /there is no key contxt: did you mean context\?/],
    [
      'exceptions: [{cluster: a, unitl: 2027-01-01, reason: b}]',
      /there is no key exceptions\.0\.unitl: did you mean until\?/,
    ],
    ['exceptions: [{cluster: a, reason: b}]', /exceptions\.0\.until: /],
    ['exceptions: [{cluster: a, until: soon, reason: b}]', /exceptions\.0\.until: is a date such as/],
    ['ranges: {a: 20000:32767}', /ranges\.a: give it as the API server has it: 30000-32767/],
    ['ranges: {a: 32767-30000}', /ranges\.a: give it as the API server has it/],
    ['ranges: {a: 0-99999}', /ranges\.a: give it as the API server has it/],
    ['- a', /the whole: /],
    ['a: [', /it is not YAML \(line 1\)/],
    ['a: &x [1]\nb: *x', /it has aliases/],
  ])('%s', async (text, says) => {
    const wrong = join(folder, 'wrong.yaml')
    writeFileSync(wrong, text)
    await expect(configurationIn(wrong)).rejects.toThrow(says)
  })

  test('and the command ends with 2, having done nothing', async () => {
    const { status, stdout, stderr } = await run(['check', '--config', join(folder, 'none.yaml')])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(
      /^calico-ipvs-sync: The configuration .*none\.yaml is not used, and nothing was done: it cannot be read/,
    )
  })

  test('one in the current folder is not read', async () => {
    const here = join(folder, 'here')
    mkdirSync(here, { recursive: true })
    writeFileSync(join(here, 'calico-ipvs-sync.yaml'), 'nonsense: 1')
    const { stderr } = await run(['check', '--kubeconfig', join(here, 'none')])
    expect(stderr).toContain('There is no kubeconfig')
  })
})

describe('what is excepted', () => {
  const exceptions = [{ cluster: '*/prod-1', code: 'RANGE_DIFFERS', until: '2027-03-31', reason: 'it moves' }] as const
  const loud = { ...outOfStep, findings: outOfStep.findings.filter(({ code }) => code === 'RANGE_DIFFERS') }

  test('is shown as such, keeps its verdict, and fails no check', () => {
    const { shown, counted } = withoutExcepted(loud, exceptions)
    expect(shown.verdict).toBe('out-of-step')
    expect(shown.findings[0]).toMatchObject({
      severity: 'info',
      message: expect.stringContaining('Excepted until 2027-03-31: it moves'),
    })
    expect([statusOf(loud), statusOf(counted)]).toEqual([1, 0])
  })

  test('after its end it is as it was; and what could not be told is never hidden', () => {
    const after = { ...loud, observedAt: '2027-04-01T00:00:01Z' }
    expect(statusOf(withoutExcepted(after, exceptions).counted)).toBe(1)
    const unknown = withoutExcepted(unreachable, [{ cluster: '*', until: '2027-03-31', reason: 'away' }])
    expect(statusOf(unknown.counted)).toBe(2)
  })
})
