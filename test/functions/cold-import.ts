import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

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
