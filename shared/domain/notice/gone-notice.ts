import type { Report } from '../report.ts'

/** One notice says that a known cluster was deleted. */
export const goneNotice = (
  { account, region, name }: { account: string; region: string; name: string },
  { verdict, observedAt }: Report,
) =>
  ({
    subject: `[info] ${name} (${account} ${region}): the cluster was deleted`,
    text: [
      'Nobody needs to act, if this was intended.',
      '',
      `EKS no longer has a cluster ${name} in ${account} ${region}. At the last evaluation, at ${observedAt}, it was ${verdict}.`,
      'Its verdict was removed from the records, and its place in the fleet budget was released.',
    ].join('\n'),
    attributes: { severity: 'info', cluster: name, account, region },
  }) as const
