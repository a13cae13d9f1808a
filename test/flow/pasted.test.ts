import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseFields } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { awsCommand } from '../../lab/moto/moto.ts'
import { commandsOfPage } from '../verify/emulator/page.ts'
import { assemble, type GuardedStage, place, raise } from './guards-stage.ts'

/** Commands of the pages that moto cannot carry out, as they are printed there, by the real `aws`: those for dead letters, and one of EKS. */
/** As the pages call a cluster. */
const name = 'prod-1'
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-dead-letters-'))
const moments: Moment[] = []
let stage: GuardedStage
let sqs: SQSClient

beforeAll(async () => {
  const onMoment = (moment: Moment) => void moments.push(moment)
  stage = await raise(await assemble(folder, { policy: { action: 'report' } }), [name], 2, { onMoment })
  const endpoint = stage.cloud.endpoints['AWS_ENDPOINT_URL_SQS'] ?? ''
  sqs = new SQSClient({ region: place.region, endpoint, credentials: stage.cloud.credentials })
}, 300_000)
afterAll(async () => {
  sqs?.destroy()
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const urlOf = (label: string): string =>
  stage.cloud.stack.ofType('AWS::SQS::Queue').find((it) => it.label === label)?.ref ?? ''

/** The block of the runbook in which that command stands. */
const blockWith = (command: string): string => {
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
  const block = runbook.split('```').find((it) => it.startsWith('sh\n') && it.includes(command))
  if (block === undefined) throw new Error(`The runbook does not have ${command}`)
  return block.slice(3)
}

/** Version 1 of `aws` asks a former host name of SQS, whatever `AWS_ENDPOINT_URL_SQS` says. */
const atLab =
  'aws() { if [ "$1" = sqs ]; then set -- --endpoint-url "$AWS_ENDPOINT_URL_SQS" "$@"; fi; command aws "$@"; }\n'

const run = async (block: string, variables: Record<string, string>): Promise<string> => {
  const env = { ...process.env, ...stage.cloud.environment, ...(await awsCommand()), AWS_PAGER: '', ...variables }
  return (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', atLab + block], { env })).stdout
}

test('dead letters are read with their reason, and moved back they are processed', async () => {
  const [DLQ_URL, QUEUE_URL] = [urlOf('EvaluationsDeadLetters'), urlOf('Evaluations')]
  const body = JSON.stringify({ schemaVersion: 1, cluster: { ...place, name }, reason: 'follow' })
  const MessageAttributes = { reason: { DataType: 'String', StringValue: 'the table was gone' } }
  await sqs.send(new SendMessageCommand({ QueueUrl: DLQ_URL, MessageBody: body, MessageAttributes }))

  expect(await run(blockWith('receive-message --queue-url "$DLQ_URL"'), { DLQ_URL })).toBe(
    `the table was gone\t${body}\n`,
  )
  await run(blockWith('start-message-move-task'), { DLQ_URL, QUEUE_URL })
  await stage.cloud.idle({ timeoutMilliseconds: 60_000 })

  expect(await stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
  const lines = moments.map((it) => (it.kind === 'log' ? parseFields(it.line) : undefined))
  expect(lines.filter((line) => line?.['message'] === 'assessed')).toMatchObject([{ reason: 'follow' }])
}, 300_000)

test('only a dead-letter queue can be moved from', async () => {
  const swapped = { DLQ_URL: urlOf('Evaluations'), QUEUE_URL: urlOf('EvaluationsDeadLetters') }
  await expect(run(blockWith('start-message-move-task'), swapped)).rejects.toThrow(
    /must be configured as a Dead Letter/,
  )
}, 120_000)

test('EKS says a cluster’s authentication mode by the command of docs/deploy.md', async () => {
  const command = commandsOfPage().find(({ text }) => text.startsWith(`aws eks describe-cluster --name ${name}`))
  const output = await run(command?.text ?? '', {})
  expect(output.trim()).toBe('"API_AND_CONFIG_MAP"')
}, 120_000)
