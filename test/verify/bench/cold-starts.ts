import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundleAll, bundles, root } from '../../../infra/bundle.ts'
import { startEnvironment } from '../../../lab/aws/lambda-environment.ts'
import { coldImport, environment } from '../../functions/cold-import.ts'
import { bundleNaively } from './naive.ts'

/** All that the functions want to know at their start; nothing listens there, and nothing is invoked. */
const variables = {
  ...environment,
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
  AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/bench',
  AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
  _HANDLER: 'index.handler',
  PATH: '/usr/local/bin:/usr/bin:/bin',
}

export const empty = 'empty function'

/** Bundles all functions; answers each with its folder, an empty one first. */
export async function functionFolders(workdir: string): Promise<Map<string, string>> {
  const none = join(workdir, 'empty')
  mkdirSync(none, { recursive: true })
  writeFileSync(join(none, 'index.js'), 'exports.handler = async () => undefined\n')
  writeFileSync(join(none, 'package.json'), '{"type":"commonjs"}')
  const all = await bundleAll()
  return new Map([[empty, none], ...all.map(({ name }): [string, string] => [name, configured(workdir, name)])])
}

/** As it is deployed: the bundle with its configuration beside it. */
function configured(workdir: string, name: string): string {
  const folder = join(workdir, 'configured', name)
  cpSync(join(bundles, name), folder, { recursive: true })
  writeFileSync(join(folder, 'deployment.json'), '{"fleet":{},"policy":{}}')
  return folder
}

/** Milliseconds from the start of a process with AWS's runtime client until the function takes its first event. */
export async function coldStart(code: string): Promise<number> {
  const said: string[] = []
  const functionArn = 'arn:aws:lambda:eu-west-1:111122223333:function:bench'
  const onLine = (line: string) => void said.push(line)
  const bounds = { timeoutMilliseconds: 30_000, memoryMegabytes: 1_024 }
  const environment = await startEnvironment({ code, functionArn, ...bounds, variables, onLine })
  try {
    // A runtime is ready when it asks for its first event; only an invocation under way is told where it never does.
    const invoked = environment.invoke(randomUUID(), '{}')
    while (environment.initialized() === undefined && environment.alive()) await sleep(1)
    const ready = environment.initialized()
    if (ready === undefined) throw new Error(`${code} does not start: ${said.slice(-3).join(' ')}`)
    void invoked.catch(() => undefined)
    return ready
  } finally {
    await environment.stop()
  }
}

/** Milliseconds that each function takes to be loaded by Node alone, and the same function bundled without care. */
export async function coldImports(
  folders: ReadonlyMap<string, string>,
  workdir: string,
): Promise<Map<string, () => Promise<{ milliseconds: number }>>> {
  const subjects = new Map<string, () => Promise<{ milliseconds: number }>>()
  for (const [name, folder] of folders) {
    if (name === empty) continue
    const naive = await bundleNaively(name, workdir)
    subjects.set(name, () => coldImport(join(folder, 'index.js')))
    subjects.set(`${name}, without care`, () => coldImport(naive))
  }
  rmSync(join(root, 'out', `naive-${process.pid}`), { recursive: true })
  return subjects
}
