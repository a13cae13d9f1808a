import { expect, test } from '@jest/globals'
import { errorText, nextText } from '../../cli/error-text.ts'
import { progress, wipeProgress } from '../../cli/progress.ts'

const command = 'aws eks list-clusters --region eu-west-1 --profile administrators-of-production'

test('what went wrong is wrapped to the terminal, and a command in it can be pasted; elsewhere lines stay whole', () => {
  const message = `calico-ipvs-sync: There is no EKS cluster prod in eu-west-1. See: ${command}`
  const lines = errorText(message, 60).split('\n')
  expect(lines.filter((line) => line.length > 60)).toEqual([])
  expect(lines.join('\n').replaceAll(/ \\\n */g, ' ')).toContain(`\n  ${command}`)
  expect(errorText(message, undefined)).toBe(message)
})

test('so is the command to run next, whose comment stands before it', () => {
  const next = `${command}   # the existing clusters`
  expect(nextText(next, 60).replaceAll(/ \\\n */g, ' ')).toBe(`Next:\n  # the existing clusters\n  ${command}`)
  expect(nextText(next, undefined)).toBe(`Next: ${next}`)
})

test('an error does not share its line with what was being done', () => {
  const written: string[] = []
  const terminal = { isTTY: true, columns: 80, write: (text: string) => written.push(text) }
  progress(false, terminal as never).doing('asking')
  wipeProgress()
  wipeProgress()
  expect(written).toEqual([expect.stringContaining('asking'), '\r\u001b[K'])
})
