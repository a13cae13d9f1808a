import type { Report } from '../report.ts'
import type { OutgoingNotice } from './outgoing.ts'

/** One notice says that a known cluster was deleted. */
export const goneNotice = (
  { account, region, name }: { account: string; region: string; name: string },
  { verdict, observedAt }: Report,
): OutgoingNotice => ({
  subject: `[info] ${name} (${account} ${region}): the cluster was deleted`,
  text: [
    `${name} (${account} ${region}): the cluster was deleted. Nobody has to act, if this was intended.`,
    '',
    `At the last evaluation, at ${observedAt}, it was ${verdict}.`,
    'Its verdict was removed from the records, and its place in the fleet budget was released.',
  ].join('\n'),
  attributes: { severity: 'info', kind: 'gone', cluster: name, account, region },
})
