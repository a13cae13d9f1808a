import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { createConsole } from '../../lab/aws/console.ts'
import { parseFields } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { awsCommand } from '../../lab/moto/moto.ts'
import { commandsOfPage } from '../verify/emulator/page.ts'
import { assemble, type GuardedStage, place, raise } from './guards-stage.ts'

/** Commands of the pages that moto cannot carry out, as they are printed there, by the real `aws`: from the access to a cluster to its first verdict, dead letters, and the fetch of a version. */

/** As the pages call a cluster. */
const name = 'prod-1'
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-dead-letters-'))
const moments: Moment[] = []
const web = createConsole()
let ofConsole: Record<string, string>
let stage: GuardedStage
let sqs: SQSClient

beforeAll(async () => {
  const onMoment = (moment: Moment) => {
    moments.push(moment)
    web.onMoment(moment)
  }
  const admin = `arn:aws:iam::${place.account}:user/operator`
  stage = await raise(await assemble(folder, { policy: { action: 'report' } }), [name], 2, { onMoment, admin })
  ofConsole = await web.open(stage.cloud)
  const endpoint = stage.cloud.endpoints['AWS_ENDPOINT_URL_SQS'] ?? ''
  sqs = new SQSClient({ region: place.region, endpoint, credentials: stage.cloud.credentials })
}, 300_000)
afterAll(async () => {
  sqs?.destroy()
  await web.close()
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
  const ofLab = { ...stage.cloud.environment, ...ofConsole, ...(await awsCommand()), AWS_PAGER: '' }
  const env = {
    ...process.env,
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
    ...ofLab,
    ...variables,
  }
  return (
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `${atLab}{\n${block}\n} | cat`], { cwd: root, env })
  ).stdout
}

/** Nobody is there who could say yes. */
const answered = (text: string): string =>
  /calico-ipvs-sync grant (?!.*--dry-run)/.test(text) ? `${text} --yes` : text

test('docs/deploy.md leads from the access to a cluster to its first verdict, command by command', async () => {
  const commands = commandsOfPage()
    .filter(({ section }) => section === 'The first verdict')
    .map(({ text }) => answered(text))
  const at = (begins: string) => commands.findIndex((it) => it.startsWith(begins))
  const [access, verdict, invoke] = [at('stack='), at('sweep='), at('aws lambda invoke')]
  const stackIs = commands[access] ?? ''

  const granted = await run(commands.slice(access, verdict).join('\n'), {})
  expect(granted).toMatch(/^"API_AND_CONFIG_MAP"\n/)
  expect(granted).toContain('  + create access entry arn:aws:iam::111122223333:role/calico-ipvs-sync-evaluate')

  const swept = await run([stackIs, ...commands.slice(verdict, invoke + 1)].join('\n'), {})
  expect(swept).toContain('{"places":1}')
  await stage.cloud.idle({ timeoutMilliseconds: 60_000 })
  const lines = await run([stackIs, ...commands.slice(verdict, invoke), ...commands.slice(invoke + 1)].join('\n'), {})
  expect(lines).toMatch(/"message":"assessed"[^\n]*"verdict":"out-of-step"/)
  expect(stage.cloud.deliveries.map(({ subject }) => subject)).toEqual([
    '[critical] prod-1 (111122223333 eu-west-1): Calico is out of step with kube-proxy',
  ])
}, 240_000)

test('a function is invoked by hand as the runbook says, with a message and without', async () => {
  const nameOf = (label: string) =>
    stage.cloud.stack.ofType('AWS::Lambda::Function').find((it) => it.label === label)?.name
  const [FUNCTION = '', SWEEP = ''] = [nameOf('FleetReport'), nameOf('Sweep')]
  expect(await run(blockWith('--function-name "$FUNCTION"'), { FUNCTION })).toContain('"StatusCode": 200')
  expect(await run(blockWith('--function-name "$SWEEP"'), { SWEEP })).toContain('"StatusCode": 200')
  await stage.cloud.idle({ timeoutMilliseconds: 60_000 })
}, 120_000)

test('a newer version is fetched as docs/deploy.md says, in a checkout of its own', async () => {
  const command = commandsOfPage().find(({ text }) => text.startsWith('git fetch'))?.text ?? ''
  const git = (repository: string, words: string) =>
    `git -C "${repository}" -c user.name=a -c user.email=a@example.com ${words}`
  const [origin, checkout] = [join(folder, 'origin'), join(folder, 'checkout')]
  const made = [
    `git init -q "${origin}"`,
    git(origin, 'commit -q --allow-empty -m one'),
    `git clone -q "${origin}" "${checkout}"`,
  ]
  const released = [git(origin, 'commit -q --allow-empty -m two'), git(origin, 'tag v1.2.3')]
  const fetched = `cd "${checkout}" && ${command.replace('vX.Y.Z', 'v1.2.3')} && git log --format=%s -1`
  expect(await run([...made, ...released, fetched].join('\n'), {})).toMatch(/two\n$/)
}, 60_000)

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
  expect(lines.findLast((line) => line?.['message'] === 'assessed')).toMatchObject({ reason: 'follow' })
}, 300_000)

test('only a dead-letter queue can be moved from', async () => {
  const swapped = { DLQ_URL: urlOf('Evaluations'), QUEUE_URL: urlOf('EvaluationsDeadLetters') }
  await expect(run(blockWith('start-message-move-task'), swapped)).rejects.toThrow(
    /must be configured as a Dead Letter/,
  )
}, 120_000)
