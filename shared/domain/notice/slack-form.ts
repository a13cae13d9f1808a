import type { Severity } from '../report.ts'
import type { Link } from './links.ts'
import type { NoticeKind, OutgoingNotice } from './outgoing.ts'

/**
 * A notice in the queue of notify-slack: the fields of a Slack message and its thread. A fact that no notice has yet
 * comes from `tell.ts` through `NoticeAbout` in `outgoing.ts`; `clients/slack-notice.ts` parses it.
 */
export interface SlackNotice {
  schemaVersion: 1
  subject: string
  text: string
  severity: Severity
  kind: NoticeKind
  incident?: string
  since?: string
  links: Link[]
}

const order: Severity[] = ['critical', 'warning', 'info']

export const severityOf = ({ attributes: { severity } }: Pick<OutgoingNotice, 'attributes'>): Severity =>
  typeof severity === 'string' ? severity : (order.find((it) => severity.includes(it)) ?? 'info')

export const slackNotice = (notice: OutgoingNotice, links: Link[]): SlackNotice => {
  const { subject, text, attributes, about = {} } = notice
  const { incident, since } = about
  return {
    schemaVersion: 1,
    subject,
    text,
    severity: severityOf(notice),
    kind: attributes.kind ?? 'trouble',
    ...(incident && { incident }),
    ...(since && { since }),
    links,
  }
}
