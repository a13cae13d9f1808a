import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { Context } from 'aws-lambda'
import { linesOf } from '../../shared/log-lines.ts'

const written: Record<string, unknown>[] = []
const before = { ...process.env }
beforeEach(() => {
  written.length = 0
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((text) => written.push(JSON.parse(String(text))) > 0)
})
afterEach(() => {
  process.env = { ...before }
  jest.restoreAllMocks()
})

const lines = linesOf('evaluate', (key, value) => (key === 'secret' ? '[secret]' : value))
const context = {
  awsRequestId: 'r-1',
  functionName: 'f',
  memoryLimitInMB: '512',
  invokedFunctionArn: 'arn:f',
} as Context

test('a line says which function and which of its invocations it is of, and whether that was its first', () => {
  process.env['_X_AMZN_TRACE_ID'] = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
  lines.addContext(context)
  lines.info('assessed', { verdict: 'in-step', nothing: undefined, none: null, empty: '', zero: 0 })
  lines.addContext(context)
  lines.warn('held', {})
  expect(written).toEqual([
    {
      level: 'INFO',
      message: 'assessed',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: 'evaluate',
      cold_start: true,
      function_arn: 'arn:f',
      function_memory_size: '512',
      function_name: 'f',
      function_request_id: 'r-1',
      sampling_rate: 0,
      xray_trace_id: '1-5759e988-bd862e3fe1be46a994272793',
      verdict: 'in-step',
      zero: 0,
    },
    expect.objectContaining({ level: 'WARN', message: 'held', cold_start: false }),
  ])
})

test('an error is written with its place, its cause and its fields, cleaned as everything is', () => {
  const cause = Object.assign(new TypeError('inner'), { secret: 'abc' })
  lines.error('failed', { error: new Error('outer', { cause }) })
  expect(written).toMatchObject([
    {
      level: 'ERROR',
      error: {
        name: 'Error',
        message: 'outer',
        location: expect.stringMatching(/log-lines\.test\.ts:\d+$/),
        stack: expect.stringContaining('outer'),
        cause: { name: 'TypeError', message: 'inner', secret: '[secret]' },
      },
    },
  ])
})

test('a fact takes the place of no field of the line, and what contains itself is written once', () => {
  const node: { name: string; itself?: unknown } = { name: 'n' }
  node.itself = node
  lines.info('stepped', { level: 'x', message: 'y', service: 'z', big: 7n, node, again: [node, node] })
  expect(written).toMatchObject([
    { level: 'INFO', message: 'stepped', service: 'evaluate', big: '7', node: { name: 'n' } },
  ])
  expect(written[0]?.['node']).toEqual({ name: 'n' })
})
