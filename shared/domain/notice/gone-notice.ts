import type { Report } from '../report.ts'

/** One notice says that a known cluster was deleted. */
export const goneNotice = (
  { account, region, name }: { account: string; region: string; name: string },
  { verdict, observedAt }: Report,
) =>
  ({
    subject: `[info] ${name} (${account} ${region}): the cluster is gone`,
    text: [
      'Nobody needs to act, if it was deleted on purpose.',
      '',
      `EKS has no cluster ${name} in ${account} ${region} any more. When it was last seen, at ${observedAt}, it was ${verdict}.`,
      'Its verdict is taken off the records, and what it held of the fleet budget is given back.',
    ].join('\n'),
    attributes: { severity: 'info', cluster: name, account, region },
  }) as const
