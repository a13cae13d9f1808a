import { escaped, markdownOf } from '../domain/notice/markdown.ts'
import type { SlackNotice } from '../domain/notice/slack-form.ts'
import { oneLine } from './foreign.ts'

const titleAtMost = 150
const sectionAtMost = 3_000
/** Slack accepts 50 blocks, including the header and the line at the end. */
const sectionsAtMost = 45
/** For all blocks together: Slack rejects about 13,000 characters with `msg_blocks_too_long`. */
const textAtMost = 11_000

const signs = { critical: ':red_circle:', warning: ':large_orange_diamond:', info: ':large_blue_circle:' } as const

type Block =
  | { type: 'header'; text: { type: 'plain_text'; text: string } }
  | { type: 'section'; text: { type: 'mrkdwn'; text: string; verbatim: true } }
  | { type: 'context'; elements: { type: 'mrkdwn'; text: string; verbatim: true }[] }

export interface SlackBody {
  text: string
  unfurl_links: false
  unfurl_media: false
  blocks: Block[]
}

/**
 * A Slack message: header, sections, and a line at the end with links, start time and incident id. Within Slack's
 * limits: 150 characters in the header, 3,000 in a section, 50 blocks. Lines are not split if possible. Commands are
 * code, in which Slack formats nothing. Severities differ in shape and colour.
 */
export function slackBody({ subject, text, severity, incident, since, links }: SlackNotice): SlackBody {
  const plain = oneLine(subject, titleAtMost)
  const linked = links.map(({ label, url }) => `<${escaped(url)}|${escaped(label)}>`)
  const facts = [signs[severity], ...linked, since && `since ${since}`, incident && `incident ${incident.slice(0, 8)}`]
  return {
    text: escaped(plain),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: plain } },
      ...sectionsOf(text).map((section): Block => ({ type: 'section', text: verbatim(section) })),
      { type: 'context', elements: [verbatim(facts.filter(Boolean).join('  ·  '))] },
    ],
  }
}

/** Literal text: Slack creates no links and no mentions from it. */
const verbatim = (text: string) => ({ type: 'mrkdwn', text, verbatim: true }) as const

const shortened = '… (shortened; the record of the cluster has all of it)'

function sectionsOf(text: string): string[] {
  const sections: string[] = []
  for (const piece of markdownOf(text, sectionAtMost)) {
    const joined = `${sections.at(-1) ?? ''}\n${piece}`
    if (sections.length > 0 && joined.length <= sectionAtMost) sections[sections.length - 1] = joined
    else sections.push(piece)
  }
  const full = sections.filter((section) => section.trim() !== '')
  let room = textAtMost
  const kept = full.slice(0, sectionsAtMost).filter((section) => (room -= section.length) > 0)
  return kept.length < full.length ? [...kept, shortened] : kept
}
