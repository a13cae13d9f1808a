import { afterEach, expect, jest, test } from '@jest/globals'
import { watchInterrupts } from '../../cli/rollout/interruption.ts'
import { exitStatus } from '../../cli/exit-status.ts'
import { isReaderGone } from '../../cli/streams.ts'

const told: string[] = []
const telling = { doing: () => undefined, done: (text: string) => void told.push(text), clear: () => undefined }
const leave = jest.spyOn(process, 'exit').mockImplementation((() => undefined) as never)
afterEach(() => {
  told.length = 0
  leave.mockClear()
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends the work after the step under way, and a wait at once; only a second Ctrl-C ends the process',
  async (signal) => {
    const interruption = watchInterrupts(telling)
    expect(interruption.came()).toBe(false)
    const slept = interruption.sleep(3_600)
    process.emit(signal, signal)
    await slept
    expect(interruption.came()).toBe(true)
    expect(told).toEqual(['interrupted: finishing the current step; press Ctrl-C again to end at once'])
    expect(leave).not.toHaveBeenCalled()
    for (const again of ['SIGHUP', 'SIGTERM'] as const) process.emit(again, again)
    expect(leave).not.toHaveBeenCalled()
    process.emit('SIGINT', 'SIGINT')
    expect(leave).toHaveBeenCalledWith(exitStatus.failed)
    interruption.forget()
  },
)

test('afterwards signals are nobody’s business here', () => {
  const before = process.listenerCount('SIGINT')
  watchInterrupts(telling).forget()
  expect(process.listenerCount('SIGINT')).toBe(before)
})

test('a terminal that is closed, and a closed pipe, do not cut off the step under way; a broken disk is an error', () => {
  const gone = (code: string, isTTY?: true) =>
    isReaderGone(Object.assign(new Error(code), { code }), { ...(isTTY && { isTTY }) })
  expect([gone('EIO', true), gone('EPIPE'), gone('EIO'), gone('ENOSPC', true)]).toEqual([true, true, false, false])
})
