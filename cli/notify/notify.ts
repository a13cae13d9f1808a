import { type Command, Option } from 'commander'
import { type Ending, exitStatus } from '../exit-status.ts'
import { UsageError } from '../failure.ts'
import { type OutputOptions, withExamples, withOutput } from '../options.ts'
import { printed } from '../streams.ts'

export interface NotifyOptions extends OutputOptions {
  test?: boolean
  topic?: string
  region?: string
  format: 'text' | 'chat'
  severity: 'critical' | 'warning' | 'info'
  slackWebhookFile?: string
}

export const addNotify = (program: Command, end: Ending): void => {
  const command = program
    .command('notify')
    .description('Send a test notice, to check where notices arrive.')
    .option('--test', 'send a test notice (other notices cannot be sent manually)')
    .option('--topic <arn>', 'to this SNS topic, with your own credentials')
    .addOption(new Option('--region <region>', "the topic's region (default: as its ARN says)"))
    .addOption(
      new Option('--format <form>', 'chat: the format of Amazon Q Developer in chat applications')
        .choices(['text', 'chat'])
        .default('text'),
    )
    .addOption(
      new Option('--severity <severity>', 'to test the conditions of a route')
        .choices(['critical', 'warning', 'info'])
        .default('info'),
    )
    .option('--slack-webhook-file <file>', 'to Slack, with the webhook or the bot token in this file')
  withExamples(
    command,
    'calico-ipvs-sync notify --test --topic arn:aws:sns:eu-west-1:111122223333:calico-ipvs-sync',
    'calico-ipvs-sync notify --test --slack-webhook-file webhook.txt --severity critical',
  )
  withOutput(command, ['text', 'json']).action(async (options: NotifyOptions) => {
    const { test, topic, slackWebhookFile } = options
    if (!test || (topic === undefined) === (slackWebhookFile === undefined))
      throw new UsageError('Give --test, and either --topic ARN or --slack-webhook-file FILE.')
    const { notify } = await import('./run.ts')
    const sent = await notify(options)
    const text = [sent.what, ...sent.check.map((line, index) => `${index + 1}. ${line}`)].join('\n')
    await printed(options.output === 'json' ? `${JSON.stringify(sent, null, 2)}\n` : `${text}\n`, options)
    end(exitStatus.inStep)
  })
}
