import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns'
import { origin } from '../../correlation.ts'
import type { Severity, Verdict } from '../../domain/report.ts'

export interface Notices {
  publish: (notice: OutgoingNotice) => Promise<void>
}

/** A message to people as the topic takes it. */
export interface OutgoingNotice {
  /** Cut to 100 characters of ASCII: SNS refuses more. */
  subject: string
  text: string
  /** For subscribers' filter policies. */
  attributes: {
    severity: Severity
    cluster: string
    account?: string
    region?: string
    verdict?: Verdict
    /** The same for the same notice: where its sender died before it knew that it had gone out, it comes again. */
    notice?: string
  }
}

/** SNS takes 256 KiB with all its parts; the text is sent once and cut well below. In characters, of up to four bytes. */
const textAtMost = 50_000

export function notices(sns: SNSClient, topicArn: string): Notices {
  return {
    publish: async ({ subject, text, attributes }) => {
      const { correlationId } = origin() ?? {}
      const named = Object.entries({ ...attributes, correlationId }).filter(
        ([, value]) => value !== undefined && value !== '',
      )
      await sns.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: subjectOf(subject),
          // A form per protocol can be added beside `default` without changing what mail says.
          MessageStructure: 'json',
          Message: JSON.stringify({ default: cut(text) }),
          MessageAttributes: Object.fromEntries(
            named.map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
          ),
        }),
      )
    },
  }
}

/** Must begin with a letter, digit or sign, and hold no line break. */
export function subjectOf(subject: string): string {
  const plain = subject
    .normalize('NFKD')
    .replace(/[\p{M}]/gu, '')
    .replace(/[–—]/g, '-')
    .replace(/[^ -~]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
  return (plain.length > 100 ? `${plain.slice(0, 97)}...` : plain) || 'calico-ipvs-sync'
}

const cut = (text: string): string =>
  text.length <= textAtMost
    ? text
    : `${text.slice(0, textAtMost)}\n… (shortened; the record of the cluster has all of it)`
