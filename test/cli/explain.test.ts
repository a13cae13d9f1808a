import { expect, test } from '@jest/globals'
import { findingCodes } from '../../shared/domain/report.ts'
import { proseLines } from '../../shared/report/text/prose.ts'
import { runHere as run } from './here.ts'

test.each(findingCodes)('explain %s prints the section of that code', async (code) => {
  const { status, stdout } = await run(['explain', code])
  expect(status).toBe(0)
  expect(stdout.startsWith(`${code}\n\n`)).toBe(true)
  expect(stdout.length).toBeGreaterThan(code.length + 80)
  expect(stdout).not.toMatch(/^## /m)
})

test('case and dashes do not matter', async () => {
  const { stdout } = await run(['explain', 'range-differs', '-o', 'json'])
  expect(JSON.parse(stdout)).toMatchObject({ code: 'RANGE_DIFFERS', text: expect.any(String) })
})

test('without a code every code is listed with one line', async () => {
  const { status, stdout } = await run(['explain'])
  expect(status).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(new Set(lines.map((line) => line.split(' ')[0]))).toEqual(new Set(findingCodes))
  for (const line of lines) expect(line).toMatch(/^[A-Z_]+ +\S.{10,}/)
})

test('an unknown code is a wrong command line, with the nearest there is', async () => {
  const { status, stdout, stderr } = await run(['explain', 'RANGE_DIFERS'])
  expect([status, stdout]).toEqual([64, ''])
  expect(stderr).toContain('Did you mean RANGE_DIFFERS?')
})

test('on a terminal a command is not broken, or as a shell takes it, and colour stands for backticks', () => {
  const long = `kubectl --context CONTEXT annotate felixconfiguration default --overwrite ${'a'.repeat(20)}=1`
  const text = `**Do.** Look at \`kubectl get nodes\`, then run \`${long}\`. It takes a while.`
  const lines = proseLines(text, { width: 60 })
  expect(lines.filter((line) => line.length > 60)).toEqual([])
  expect(lines.join('\n')).toContain('`kubectl get nodes`,')
  expect(lines.join('\n').replaceAll(/ \\\n\s*/g, ' ')).toContain(`\n    ${long}\n`)
  const coloured = proseLines(text, { width: 60, bold: (word) => `<${word}>` })
  expect(coloured.join('\n')).toContain('<kubectl get nodes>,')
  expect(coloured.join('\n')).not.toContain('`')
  const sentence = `**Look for.** \`${'Replacing invalid value with default '.repeat(3)}\``
  expect(proseLines(sentence, { width: 60 }).filter((line) => line.includes('\\'))).toEqual([])
})
