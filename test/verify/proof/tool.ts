import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { endWithThisProcess } from '../../../lab/processes.ts'
import type { Ground } from './ground.ts'
import { pace } from './ground.ts'

/** What came of a run of the command. */
export interface Ran {
  code: number | null
  out: string
  err: string
}

export const bin = join(import.meta.dirname, '../../../cli/bin.mjs')

/** Milliseconds; the slowest change of a proof takes a third of it. */
const runLimit = 900_000

/** The command line as a person would have it, in a process of its own. `args`: without where the cluster is. */
export const runTool = ({ cluster, tool = bin }: Pick<Ground, 'cluster' | 'tool'>, ...args: string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool, ...args, '--kubeconfig', cluster.kubeconfig], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
      timeout: runLimit,
      killSignal: 'SIGKILL',
    })
    void endWithThisProcess(child, 'SIGTERM')
    const said = { out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (said.out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (said.err += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })

/** As documentation shows it. */
export const typed = (...args: string[]): string => `calico-ipvs-sync ${args.join(' ')}`

/** `20000:32767` as the flag takes it. */
export const rangeFlag = (range: string): string[] => ['--service-node-port-range', range.replace(':', '-')]

export const paceFlags = (at: typeof pace = pace): string[] => [
  '--canary-seconds',
  String(at.canarySeconds),
  '--settle-seconds',
  String(at.settleSeconds),
  '--node-deadline',
  String(at.nodeDeadlineSeconds),
]
