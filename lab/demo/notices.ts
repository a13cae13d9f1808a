import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SlackMessage } from '../aws/slack.ts'
import type { Delivery } from '../aws/topics.ts'

interface SentNotices {
  deliveries: Delivery[]
  slack: SlackMessage[]
}

/** What people got, as their programs would have it: each mail as `.eml`, Slack's messages as JSON and as a page of their blocks. */
export const writeNotices = (folder: string, { deliveries, slack }: SentNotices): number => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const mails = deliveries.filter(({ protocol }) => protocol === 'email')
  for (const [index, mail] of mails.entries())
    writeFileSync(join(folder, `${nameOf(index, mail.subject)}.eml`), emlOf(mail))
  const bodies = slack.map(({ body }) => body)
  writeFileSync(join(folder, 'slack.json'), `${JSON.stringify(bodies, null, 2)}\n`)
  writeFileSync(join(folder, 'slack.html'), pageOf(bodies))
  return mails.length
}

const nameOf = (index: number, subject = 'notice'): string => {
  const words = subject
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return `mail-${String(index + 1).padStart(2, '0')}-${words.slice(0, 60)}`
}

/** SNS sends plain text of UTF-8 and writes the subject as it was given. */
const emlOf = ({ subject = '', message, endpoint }: Delivery): string =>
  [
    'From: calico-ipvs-sync <no-reply@sns.amazonaws.com>',
    `To: ${endpoint}`,
    `Subject: ${subject}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    ...message.split('\n'),
    '',
  ].join('\r\n')

type Blocks = { type: string; text?: { text: string }; elements?: { text: string }[] }[]

const pageOf = (bodies: Record<string, unknown>[]): string =>
  [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Notices in Slack</title>',
    '<style>body{font:15px/1.5 sans-serif;max-width:44em;margin:2em auto}article{border-left:3px solid #ccc;padding:0 1em;margin:1.5em 0}',
    'h2{font-size:1.1em}p{white-space:pre-wrap}small{color:#555}</style><body><h1>Notices in Slack</h1>',
    ...bodies.map(({ blocks }) => `<article>${(blocks as Blocks).map(blockOf).join('')}</article>`),
    '</body></html>\n',
  ].join('\n')

/** What stands in a section is escaped for Slack already, which is how HTML escapes it; backticks are code. */
const blockOf = ({ type, text, elements = [] }: Blocks[number]): string => {
  if (type === 'header') return `<h2>${escaped(text?.text ?? '')}</h2>`
  if (type === 'section')
    return `<p>${(text?.text ?? '').replace(/```\n([^]*?)\n```|`([^`]+)`/g, '<code>$1$2</code>')}</p>`
  return `<small>${elements.map((it) => linked(it.text)).join(' ')}</small>`
}

const signs: Record<string, string> = { red_circle: '🔴', large_orange_diamond: '🔶', large_blue_circle: '🔵' }

const linked = (text: string): string =>
  text
    .replace(/<(https?:[^|>]+)\|([^>]+)>/g, '<a href="$1">$2</a>')
    .replace(/:(\w+):/g, (it, name: string) => signs[name] ?? it)

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
