import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../../infra/bundle.ts'

/** Something to look at while the stage is set, which takes most of a minute: the report of a cluster that somebody captured. Answers the command that shows it. */
export const writeExample = async (file: string): Promise<string> => {
  const words = ['check', '--state', 'docs/example-state.json']
  const child = spawn(process.execPath, ['cli/bin.mjs', ...words, '--output', 'html', '--output-file', file], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // 1: the cluster is out of step, and the report says so.
  if (status !== 1)
    throw new Error(`${words.join(' ')} ended with ${status}; ${join(root, words[2] ?? '')} must be out of step`)
  return `npx calico-ipvs-sync ${words.join(' ')}`
}
