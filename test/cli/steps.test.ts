import { describe, expect, test } from '@jest/globals'
import { progress } from '../../cli/progress.ts'
import { stepsOf } from '../../cli/sync/steps.ts'
import type { Plan } from '../../shared/domain/report.ts'

const override = (name: string): Plan['changes'][number] => ({
  action: 'create',
  apiVersion: 'projectcalico.org/v3',
  kind: 'FelixConfiguration',
  name,
})
const plan: Plan = {
  strategy: 'staged',
  changes: [
    ...['a', 'b', 'c'].map((it) => override(`node.${it}`)),
    { ...override('default'), action: 'patch' },
    { ...override('node.a'), action: 'delete' },
  ],
  forecast: { felixRestarts: 3, felixRestartsAtOnce: 1, podRestarts: 0, seconds: 360 },
  blockedBy: [],
}

/** What stands on standard error after a node was written, waited for, and the value promoted. */
const shown = (isTTY: boolean): string => {
  let text = ''
  const stream = { isTTY, columns: 80, write: (piece: string) => void (text += piece) } as unknown as NodeJS.WriteStream
  const steps = stepsOf(plan, progress(false, stream))
  for (const node of ['a', 'b']) {
    steps.tell({ what: 'override written', node, object: `FelixConfiguration/node.${node}` })
    steps.waiting({ next: 'wait', seconds: 10, why: `node ${node} settles` })
    // The same write, after a conflict.
    steps.tell({ what: 'override written', node, object: `FelixConfiguration/node.${node}` })
  }
  steps.waiting({ next: 'wait', seconds: 900, why: 'the window is closed' })
  steps.tell({ what: 'value promoted', object: 'FelixConfiguration/default' })
  return text
}

describe('how far a rollout is', () => {
  test('piped: one line for each node, and what takes long', () => {
    expect(shown(false).split('\n')).toEqual([
      '1 of 3, node a: override written, about 4 min left',
      '2 of 3, node b: override written, about 2 min left',
      'waiting 900 s: the window is closed',
      'FelixConfiguration/default: value promoted',
      '',
    ])
  })

  test('a halt names its node once, and its reason is not repeated', () => {
    let text = ''
    const stream = { isTTY: false, write: (piece: string) => void (text += piece) } as unknown as NodeJS.WriteStream
    const steps = stepsOf(plan, progress(false, stream))
    const why = 'a: calico-node-x was not Ready 12 s after its restart'
    expect(steps.hasPrinted(why)).toBe(false)
    steps.tell({ what: 'rollout halted', node: 'a', why })
    steps.tell({ what: 'override taken back', node: 'a', object: 'FelixConfiguration/node.a', why })
    expect(text.split('\n')).toEqual([`rollout halted (${why})`, 'node a: override taken back', ''])
    expect(steps.hasPrinted(why)).toBe(true)
  })

  test('on a terminal: one line that changes, with number, node and time left', () => {
    const frames = shown(true).split('\r\u001b[K').slice(1)
    expect(frames).toContain('2 of 3, node b: override written, about 2 min left')
    expect(frames).toContain('2 of 3, node b, about 2 min left; waiting 10 s: node b settles')
    expect(frames.filter((it) => it.endsWith('\n'))).toEqual(['FelixConfiguration/default: value promoted\n'])
  })
})
