import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { expect, test } from '@jest/globals'

const start = join(import.meta.dirname, '..', '..', 'lab', 'control-plane', 'start.ts')

// How a lab's process may end. With SIGKILL it has no say any more; its programs see to it themselves, which takes Linux.
test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'nothing of a lab outlives its process ended by %s',
  async (signal) => {
    const workdir = mkdtempSync(join(tmpdir(), 'lab-processes-'))
    const script = `
    const { startControlPlane } = await import(${JSON.stringify(start)})
    const cluster = await startControlPlane({ name: 'orphan', workdir: ${JSON.stringify(workdir)} })
    console.log(cluster.server)
    setInterval(() => {}, 1000)`
    const lab = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise<string | null>((resolve) => lab.once('exit', (_, by) => resolve(by)))
    const server = await new Promise<string>((resolve, reject) => {
      lab.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
      lab.once('exit', () => reject(new Error('the lab did not come up')))
    })
    expect((await fetchError(server)).includes('ECONNREFUSED')).toBe(false)
    lab.kill(signal)
    expect(await ended).toBe(signal)
    await expect(untilRefused(server)).resolves.toBe('ECONNREFUSED')
  },
)

/** An API server with an unknown certificate is a failure too, but another one. */
async function fetchError(url: string): Promise<string> {
  try {
    await fetch(url)
    return ''
  } catch (error) {
    return inspect(error)
  }
}

async function untilRefused(url: string): Promise<string> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; await sleep(50)) {
    if ((await fetchError(url)).includes('ECONNREFUSED')) return 'ECONNREFUSED'
  }
  return await fetchError(url)
}
