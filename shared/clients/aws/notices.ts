import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns'
import { origin } from '../../correlation.ts'
import { chatNotification } from '../../domain/notice/chat.ts'
import { linksOf, type Pages, withLinks } from '../../domain/notice/links.ts'
import type { OutgoingNotice } from '../../domain/notice/outgoing.ts'
import { slackNotice } from '../../domain/notice/slack-form.ts'

export interface Notices {
  /** Throws if SNS rejects the notice, or does not confirm it with a message id. */
  publish: (notice: OutgoingNotice) => Promise<void>
}

export interface TopicOptions {
  topicArn: string
  pages?: Pages | undefined
  /** `chat`: only in the format of Amazon Q Developer in chat applications. */
  format?: 'text' | 'chat' | undefined
}

/**
 * SNS accepts 256 KiB including all parts; the text is sent twice and is cut well below that. In characters of up to
 * four bytes.
 */
const textAtMost = 25_000

export function notices(sns: SNSClient, { topicArn, pages = {}, format = 'text' }: TopicOptions): Notices {
  return {
    publish: async (notice) => {
      const { subject, attributes } = notice
      const { correlationId } = origin() ?? {}
      const named = Object.entries({ kind: 'trouble', ...attributes, correlationId }).flatMap(([name, value]) =>
        value === undefined || value.length === 0 ? [] : [[name, attributeOf(value)] as const],
      )
      const form = format === 'chat' ? chatForm : textForm
      const { MessageId } = await sns.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: subjectOf(subject),
          MessageStructure: 'json',
          Message: JSON.stringify(form({ ...notice, text: cut(notice.text) }, pages)),
          MessageAttributes: Object.fromEntries(named),
        }),
      )
      if (!MessageId) throw new Error('SNS answered without a message id: the notice is sent again.')
    },
  }
}

/** `sqs`: the input of notify-slack. E-mail and all others get the text. */
const textForm = (notice: OutgoingNotice, pages: Pages) => {
  const links = linksOf(notice, pages)
  return { default: withLinks(notice.text, links), sqs: JSON.stringify(slackNotice(notice, links)) }
}

const chatForm = (notice: OutgoingNotice, pages: Pages) => ({
  default: JSON.stringify(chatNotification(notice, linksOf(notice, pages))),
})

const attributeOf = (value: string | string[]) =>
  typeof value === 'string'
    ? { DataType: 'String', StringValue: value }
    : { DataType: 'String.Array', StringValue: JSON.stringify(value) }

/** Must begin with a letter, digit or punctuation, and contain no line break. */
export function subjectOf(subject: string): string {
  const plain = subject
    .normalize('NFKD')
    .replace(/[\p{M}]/gu, '')
    .replace(/[–—]/g, '-')
    .replace(/[^ -~]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
  return (plain.length > 100 ? shortened(plain) : plain) || 'calico-ipvs-sync'
}

/** The state is at the end of the subject: so a long name is shortened in its middle. */
const shortened = (subject: string): string => {
  const [, before = '', name = '', after = ''] = /^(\[\w+\] )(\S+)( \(.*|: .*)$/.exec(subject) ?? []
  const room = 100 - before.length - after.length - 3
  if (before === '' || room < 8) return `${subject.slice(0, 97)}...`
  const half = Math.ceil(room / 2)
  return `${before}${name.slice(0, half)}...${name.slice(name.length - (room - half))}${after}`
}

const cut = (text: string): string =>
  text.length <= textAtMost
    ? text
    : `${text.slice(0, textAtMost)}\n… (shortened; the record of the cluster has all of it)`
