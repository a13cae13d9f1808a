import { expect, test } from '@jest/globals'
import { findingCodes } from '../../shared/domain/report.ts'
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
