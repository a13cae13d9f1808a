import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, jest, test } from '@jest/globals'
import { writePrivately } from '../../cli/check/private-file.ts'
import { asText } from '../../cli/doctor/text.ts'
import { bold, printed } from '../../cli/streams.ts'
import { tellWhereItStands } from '../../cli/sync/interrupted.ts'

const folder = mkdtempSync(join(tmpdir(), 'output-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

const before = { ...process.env }
afterEach(() => void (process.env = { ...before }))

test('a file that is replaced keeps its permissions, and a link stays a link', async () => {
  const [file, link] = [join(folder, 'private.json'), join(folder, 'latest.json')]
  writeFileSync(file, 'old', { mode: 0o600 })
  symlinkSync(file, link)
  await printed('new', { output: 'json', outputFile: link })
  expect([readFileSync(file, 'utf8'), (statSync(file).mode & 0o777).toString(8)]).toEqual(['new', '600'])
  await writePrivately(link, 'captured', true)
  expect(readFileSync(file, 'utf8')).toBe('captured')
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(readdirSync(folder).toSorted()).toEqual(['latest.json', 'private.json'])
})

test('what a process has open, as /dev/stdout, is written to and never replaced, also where it leads to a file', async () => {
  const log = join(folder, 'log')
  writeFileSync(log, 'before\n')
  const open = openSync(log, 'a')
  await printed('result\n', { output: 'text', outputFile: `/proc/self/fd/${open}` })
  await writePrivately(`/dev/fd/${open}`, 'captured\n', false)
  closeSync(open)
  expect(readFileSync(log, 'utf8')).toBe('before\nresult\ncaptured\n')
})

test('a file has no colours because the terminal has', () => {
  process.env['FORCE_COLOR'] = '1'
  delete process.env['NO_COLOR']
  const hops = [{ hop: 'DNS', state: 'failed', detail: 'no' }] as const
  const document = { cluster: { name: 'prod' }, ok: false, hops: [...hops] }
  const inColour = (more: object) => [
    bold(more)('a') !== 'a',
    asText(document, { output: 'text', ...more }).includes('\u001b'),
  ]
  expect(inColour({})).toEqual([true, true])
  expect(inColour({ outputFile: 'x' })).toEqual([false, false])
  expect(inColour({ outputFile: 'x', color: 'always' })).toEqual([true, true])
})

test('what is said beside the result begins with the name by which the program was called', async () => {
  process.env['CALICO_IPVS_SYNC_AS'] = 'kubectl'
  const said = jest.spyOn(process.stderr, 'write').mockImplementation(() => true)
  const telling = { doing: () => undefined, done: () => undefined, clear: () => undefined }
  const place = { cluster: { name: 'prod', context: 'prod' } }
  const target = { name: 'prod', place, observe: () => Promise.reject(new Error('away')), close: () => undefined }
  await tellWhereItStands({ target, policy: {}, options: {}, telling } as never)
  const text = said.mock.calls.map(([it]) => String(it)).join('')
  said.mockRestore()
  expect(text).toContain('Next: kubectl calico-ipvs sync --context prod')
})
