import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '../../..')

/** A run with a program that writes into its folder, until it is ended so. */
const ended = async (by: NodeJS.Signals | 'itself') => {
  const script = `
    const { startProcess } = await import(${JSON.stringify(join(root, 'lab/processes.ts'))})
    const { makeWorkdir } = await import(${JSON.stringify(join(root, 'test/verify/chapters/workdir.ts'))})
    const folder = makeWorkdir('calico-ipvs-sync-test-')
    const writing = 'while :; do echo > "$0/$RANDOM"; done'
    startProcess({ name: 'writer', command: 'bash', args: ['-c', writing, folder], logFile: folder + '/log' })
    console.log(folder)
    setTimeout(() => process.exit(), ${by === 'itself' ? 100 : 60_000})`
  const run = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const code = new Promise<number | null>((resolve) => run.once('exit', resolve))
  const folder = await new Promise<string>((resolve) =>
    run.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())),
  )
  if (by !== 'itself') run.kill(by)
  return { folder, code: await code }
}

test('a run that is ended by a signal takes its folder along, whatever was still writing into it', async () => {
  const { folder, code } = await ended('SIGTERM')
  expect({ code, isThere: existsSync(folder) }).toEqual({ code: 143, isThere: false })
})

test('one that ends by itself leaves its logs', async () => {
  const { folder, code } = await ended('itself')
  expect({ code, isThere: existsSync(folder) }).toEqual({ code: 0, isThere: true })
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
