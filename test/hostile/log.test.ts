import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { controlsIn, plantedControls, plantedSecrets, secretsIn } from './planted-secrets.ts'

const log = fileURLToPath(new URL('../../shared/log.ts', import.meta.url))

test('no log line of a function holds what others planted, in facts or in errors', () => {
  const texts = [...plantedSecrets, ...plantedControls].map(({ text }) => text)
  const code = `
    const { logger } = await import(${JSON.stringify(log)})
    const { lines, log } = logger('test')
    for (const text of JSON.parse(process.env.TEXTS)) {
      log('assessed ' + text, { cluster: text, findings: [{ subject: text }], error: new Error(text) })
      lines.error('failed', new Error(text))
    }`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { ...process.env, TEXTS: JSON.stringify(texts) },
  })
  expect(status).toBe(0)
  const written = (stdout + stderr).trim().split('\n')
  expect(written).toHaveLength(texts.length * 2)
  for (const line of written) {
    const told = JSON.stringify(JSON.parse(line))
    expect({ secrets: secretsIn(line), controls: controlsIn(line), told: secretsIn(told) }).toEqual({
      secrets: [],
      controls: [],
      told: [],
    })
  }
})

test('nothing that a command says on standard error holds it either', () => {
  const texts = [...plantedSecrets, ...plantedControls].map(({ text }) => text)
  const code = `
    const { say } = await import(${JSON.stringify(fileURLToPath(new URL('../../cli/streams.ts', import.meta.url)))})
    for (const text of JSON.parse(process.env.TEXTS)) say('it failed: ' + text)`
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { ...process.env, TEXTS: JSON.stringify(texts) },
  })
  expect(status).toBe(0)
  // Lines stay lines: what is told in words of others has been made one line where it was read.
  const oneLine = stderr.replaceAll('\n', ' ')
  expect({ secrets: secretsIn(stderr), controls: controlsIn(oneLine) }).toEqual({ secrets: [], controls: [] })
})
