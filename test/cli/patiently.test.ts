import { expect, test } from '@jest/globals'
import { counting, patiently } from '../../cli/rollout/patiently.ts'
import { KubeError } from '../../shared/errors.ts'
import type { StepEvent } from '../../shared/workflows/rollout/tools.ts'

/** Broken connections on the way of a rollout at a terminal. */
const away = () => new KubeError('unreachable', 'the connection was dropped')

const telling = { doing: () => undefined, done: () => undefined, clear: () => undefined }

/** Nobody interrupts, and no time passes. */
const sleeper = () => {
  const slept: number[] = []
  const sleep = async (seconds: number) => void slept.push(seconds)
  return { slept, interruption: { came: () => false, sleep, forget: () => undefined } }
}

/** Each try does what the next number says, and then the connection breaks; after the last one the work is done. */
const trying = async (doneEach: number[]) => {
  const { slept, interruption } = sleeper()
  const { tools, done } = counting<{ tell: (event: StepEvent) => void }>({ tell: () => undefined })
  const left = [...doneEach]
  const act = async () => {
    const effects = left.shift()
    if (effects === undefined) return 'done'
    for (let effect = 0; effect < effects; effect += 1) tools.tell({ what: 'override written' })
    throw away()
  }
  const end = await patiently(act, { telling, interruption, done }).catch((error: Error) => error.message)
  return { end, slept }
}

test('seven in a row end it', async () => {
  const { end, slept } = await trying(Array<number>(7).fill(0))
  expect([end, slept]).toEqual(['the connection was dropped', [1, 2, 5, 10, 20, 30]])
})

test('any number does not, as long as something is done in between', async () => {
  const { end, slept } = await trying([0, 0, ...Array<number>(30).fill(1), 0, 0])
  expect([end, slept.length, Math.max(...slept)]).toEqual(['done', 34, 5])
})

test('what was waited for because the server refused is not something that was done', async () => {
  const { slept, interruption } = sleeper()
  const { count, done } = counting<{ tell: (event: StepEvent) => void }>({ tell: () => undefined })
  const act = async () => {
    count({ outdated: 1 })
    throw new KubeError('unavailable', '429: too many requests', { status: 429 })
  }
  await expect(patiently(act, { telling, interruption, done })).rejects.toThrow('429')
  expect(slept).toEqual([1, 2, 5, 10, 20, 30])
})

test('a server that says when is not asked before, but for no more than five minutes', async () => {
  const { slept, interruption } = sleeper()
  const left = [90, undefined, 3_600]
  const act = async () => {
    if (left.length === 0) return 'done'
    throw new KubeError('unavailable', 'later', { status: 503, retryAfterSeconds: left.shift() })
  }
  expect([await patiently(act, { telling, interruption, done: () => 0 }), slept]).toEqual(['done', [90, 2, 300]])
})

test('what is refused for good is not tried again', async () => {
  const { interruption } = sleeper()
  let tries = 0
  const act = async () => {
    tries += 1
    throw new KubeError('denied', 'no')
  }
  await expect(patiently(act, { telling, interruption, done: () => tries })).rejects.toThrow('no')
  expect(tries).toBe(1)
})
