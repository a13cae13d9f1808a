import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Milestone } from '../../domain/notice/progress.ts'

/** One problem of one cluster, from its first notice to "in step again". */
export interface Incident {
  /** 32 hexadecimal digits, derived. */
  id: string
  /** RFC 3339: the evaluation that first found it. */
  since: string
  /** The time of the last evaluation before it. */
  after: string
  /** `KEY=VALUE` of the cluster's tags when it began. */
  tags: string[]
  /** The last progress of a rollout that was notified. */
  milestone?: Milestone['milestone']
}

export const incidentItem = (
  cluster: string,
  { id, since, after, tags, milestone }: Incident,
): Record<string, AttributeValue> => ({
  cluster: { S: cluster },
  record: { S: 'incident' },
  incident: { S: id },
  since: { S: since },
  after: { S: after },
  tags: { L: tags.map((S) => ({ S })) },
  ...(milestone && { milestone: { S: milestone } }),
})

/** Written by `incidentItem` alone. */
export const incidentIn = (item: Record<string, AttributeValue> | undefined): Incident | undefined => {
  const { incident, since, after, tags, milestone } = item ?? {}
  if (incident?.S === undefined || since?.S === undefined) return undefined
  const known = milestone?.S === 'canary' || milestone?.S === 'half' ? milestone.S : undefined
  return {
    id: incident.S,
    since: since.S,
    after: after?.S ?? '',
    tags: (tags?.L ?? []).flatMap(({ S }) => S ?? []),
    ...(known && { milestone: known }),
  }
}
