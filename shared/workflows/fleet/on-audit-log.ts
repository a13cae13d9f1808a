import type { LogLines } from '../../clients/aws/log-lines.ts'
import { touchedByLine } from '../../domain/event/audit-log.ts'
import { askForLook, type OnEventTools } from './on-event.ts'

/** Of one cluster: the stack's account and region are the only ones whose logs come here. */
export interface OnAuditLogTools extends OnEventTools {
  own: string
  region: string
}

const group = /^\/aws\/eks\/([0-9A-Za-z][\w-]{0,99})\/cluster$/

/** Somebody wrote what kube-proxy or Calico is configured by: one look at the cluster, however many lines say so. */
export const onAuditLog = async (tools: OnAuditLogTools, given: LogLines, requestId: string): Promise<void> => {
  const { own, region, log } = tools
  const { owner, logGroup, logStream, lines } = given
  const [, name] = group.exec(logGroup) ?? []
  if (owner !== own || name === undefined || !logStream.startsWith('kube-apiserver-audit-'))
    return log(
      'not in the fleet',
      { why: `${owner.slice(0, 20)} ${logGroup} ${logStream} is no audit log of ours` },
      'warn',
    )
  const touched = lines.flatMap((line) => touchedByLine(line) ?? [])
  const last = touched.at(-1)
  if (!last) return log('lines ignored', { cluster: `${own}/${region}/${name}`, lines: lines.length, EventsIgnored: 1 })
  const cause = touched.length === 1 ? last.cause : `${last.cause} (and ${touched.length - 1} more)`
  await askForLook(tools, { cluster: { account: own, region, name }, cause: cause.slice(0, 300) }, requestId)
}
