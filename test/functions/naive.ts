import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { root } from '../../infra/bundle.ts'

const clients = ['eks', 'sqs', 'sns', 'dynamodb', 'sts', 'secrets-manager'].map((name) => `@aws-sdk/client-${name}`)

/**
 * The same function as most are bundled: the bundler's defaults, the SDK's clients as a whole, Kubernetes' own client.
 * Returns the file.
 */
export const bundleNaively = async (name: string, folder: string): Promise<string> => {
  const entry = join(root, 'out', `naive-${process.pid}`, `${name}.ts`)
  const imports = ['@kubernetes/client-node', ...clients]
  const lines = imports.map((it, index) => `import * as whole${index} from '${it}'`)
  const used = imports.map((_, index) => `whole${index}`)
  await mkdir(join(entry, '..'), { recursive: true })
  await writeFile(
    entry,
    [...lines, `export * from '../../functions/${name}.ts'`, `export const whole = [${used.join()}]`].join('\n'),
  )
  const outfile = join(folder, 'naive', name, 'index.cjs')
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node24', logLevel: 'silent' })
  return outfile
}

/** What a function needs to be loaded: the values lead nowhere. */
export const environment = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  PLACES_QUEUE_URL: 'http://127.0.0.1:1/111122223333/places',
  EVALUATIONS_QUEUE_URL: 'http://127.0.0.1:1/111122223333/evaluations',
  ROLLOUT_STEPS_QUEUE_URL: 'http://127.0.0.1:1/111122223333/rollout-steps.fifo',
  BRAKE_PARAMETER: '/calico-ipvs-sync/Test/brake',
  WORK_QUEUE_URL: 'http://127.0.0.1:1/111122223333/work',
  DEAD_LETTERS_QUEUE_URL: 'http://127.0.0.1:1/111122223333/dead-letters',
  TELLINGS_QUEUE_URL: 'http://127.0.0.1:1/111122223333/tellings',
  NOTICES_TOPIC_ARN: 'arn:aws:sns:eu-west-1:111122223333:notices',
  RECORDS_TABLE: 'records',
  REPORTS_BUCKET: 'reports',
  LOOK_GAP_SECONDS: '60',
  OWN_ACCOUNT: '111122223333',
  SLACK_CHANNEL: '',
  NOTICES: '{"tags":[],"topics":[]}',
  SLACK_WEBHOOK_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack',
}

const load = `
  const begin = performance.now()
  const loaded = require(process.argv[1])
  console.log(JSON.stringify({ milliseconds: performance.now() - begin, handler: typeof loaded.handler }))`

/** Loads the bundle in a process of its own, as Lambda's cold start does. */
export const coldImport = async (file: string): Promise<{ milliseconds: number; handler: string }> => {
  // In Lambda it lies beside the code; a bundle that is only loaded has it in a folder of its own.
  const configured = await mkdtemp(join(tmpdir(), 'calico-ipvs-sync-configured-'))
  await writeFile(join(configured, 'deployment.json'), '{"fleet":{},"policy":{}}')
  const env = { ...environment, LAMBDA_TASK_ROOT: configured }
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', load, file], { env })
  await rm(configured, { recursive: true })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { milliseconds: number; handler: string }
}

/** The least of three: what else the machine does can only add. */
export const coldMilliseconds = async (file: string): Promise<number> => {
  const runs: number[] = []
  for (let run = 0; run < 3; run += 1) runs.push((await coldImport(file)).milliseconds)
  return Math.min(...runs)
}
