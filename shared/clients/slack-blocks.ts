import type { SlackNotice } from '../domain/notice/slack-form.ts'
import { oneLine } from './foreign.ts'

/** What Slack gives a meaning of its own (`&`, `<`, `>`), taken as it is. */
export const slackText = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

const titleAtMost = 150
const sectionAtMost = 3_000
/** Slack takes 50, of which a header and what stands below are some. */
const sectionsAtMost = 45
/** All blocks together: about 13,000 characters are refused as `msg_blocks_too_long`. */
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
 * Header, sections, and a line below with links, since when, and the incident's id. Within Slack's limits: 150 characters,
 * 3,000 a section, 50 blocks. Lines stay whole where they can. Shapes as well as colours tell severities apart.
 */
export function slackBody({ subject, text, severity, incident, since, links }: SlackNotice): SlackBody {
  const plain = oneLine(subject, titleAtMost)
  const linked = links.map(({ label, url }) => `<${slackText(url)}|${slackText(label)}>`)
  const facts = [signs[severity], ...linked, since && `since ${since}`, incident && `incident ${incident.slice(0, 8)}`]
  return {
    text: slackText(plain),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: plain } },
      ...sectionsOf(slackText(text)).map((section): Block => ({ type: 'section', text: verbatim(section) })),
      { type: 'context', elements: [verbatim(facts.filter(Boolean).join('  ·  '))] },
    ],
  }
}

/** As it stands: no links made of addresses, nobody called by a name in it. */
const verbatim = (text: string) => ({ type: 'mrkdwn', text, verbatim: true }) as const

const shortened = '… (shortened; the record of the cluster has all of it)'

function sectionsOf(text: string): string[] {
  const pieces = text.split('\n').flatMap((line) => line.match(/.{1,3000}/gsu) ?? [''])
  const sections: string[] = []
  for (const piece of pieces) {
    const joined = `${sections.at(-1) ?? ''}\n${piece}`
    if (sections.length > 0 && joined.length <= sectionAtMost) sections[sections.length - 1] = joined
    else sections.push(piece)
  }
  const full = sections.filter((section) => section.trim() !== '')
  let room = textAtMost
  const kept = full.slice(0, sectionsAtMost).filter((section) => (room -= section.length) > 0)
  return kept.length < full.length ? [...kept, shortened] : kept
}
