import { spawn } from 'node:child_process'
import type { Moto } from '../../../lab/moto/moto.ts'

export interface Said {
  status: number
  /** Both streams. */
  said: string
}

export interface Shell {
  run: (text: string) => Promise<Said>
  end: () => void
}

/** One shell for all commands of a page, so that what one sets the next has. */
export const startShell = (moto: Moto, cwd: string): Shell => {
  const { AWS_REGION: _region, AWS_DEFAULT_REGION: _default, ...env } = moto.env
  const home = { HOME: cwd, npm_config_update_notifier: 'false', npm_config_offline: 'true' }
  const child = spawn('bash', ['--noprofile', '--norc'], {
    cwd,
    env: { ...process.env, ...env, ...home },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (it: string) => (said += it))
  const run = async (text: string): Promise<Said> => {
    said = ''
    const mark = `ended-${Math.random()}`
    child.stdin.write(`${text}\necho "${mark} $?"\n`)
    for (const deadline = Date.now() + 600_000; Date.now() < deadline; ) {
      const status = new RegExp(`^${mark} (\\d+)$`, 'm').exec(said)?.[1]
      if (status !== undefined) return { status: Number(status), said: said.slice(0, said.indexOf(mark)) }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`${text} has not ended in ten minutes: ${said.slice(-1_000)}`)
  }
  return { run, end: () => void child.kill('SIGKILL') }
}
