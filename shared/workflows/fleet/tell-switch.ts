import type { StoredSwitch } from '../../clients/aws/records.ts'
import type { BrakePosition, Switch } from '../../domain/policy/policy.ts'
import { type Incarnation, predates } from '../../domain/incarnation.ts'
import { type Notice, placeOf } from '../../domain/notice/notice.ts'
import type { OutgoingNotice } from '../../domain/notice/outgoing.ts'
import { clusterSwitched, deploymentSwitched, deploymentSwitches } from '../../domain/notice/switch-notice.ts'
import { clusterKey, type ClusterRef, deploymentKey } from '../../messages.ts'
import type { EvaluateTools } from './tools.ts'
import { tellOnce } from './tell.ts'

type Tools = Pick<EvaluateTools, 'records' | 'queues' | 'now' | 'log' | 'policy' | 'brake'>

/**
 * Sends one notice when the switches of the whole deployment (policy, limit, brake) have changed. A brake that cannot
 * be read is an alarm, not a notice, because nobody has set it.
 */
export const tellDeploymentSwitched = async (tools: Tools, brake: BrakePosition, readAt: string): Promise<void> => {
  if (brake.unreadable !== undefined) return tools.log('brake cannot be read', { why: brake.unreadable })
  const state = deploymentSwitches(tools.policy, brake)
  const release = brake.most === 'sync' ? undefined : tools.brake?.command('sync')
  await changed(tools, deploymentKey, {
    now: { state, action: brake.most, since: readAt },
    noticeOf: (last) => ({
      ...outgoing(deploymentSwitched(last.state, state, release)),
      attributes: { severity: 'info', kind: 'switched', cluster: '*' },
    }),
  })
}

export interface ClusterSwitch {
  now: Switch
  /** RFC 3339: when the switches were read, or just before. */
  readAt: string
  /** A rollout is in progress there. */
  unfinished: boolean
  incarnation: Incarnation
}

/**
 * Sends one notice when a cluster's own tag has changed its action. A change of the deployment's switches has one
 * notice for the whole deployment, and one for each cluster with a rollout in progress. Answers since when its action is as
 * it is, if it was another one.
 */
export const tellClusterSwitched = async (
  tools: Tools,
  cluster: ClusterRef,
  { now, readAt, unfinished, incarnation }: ClusterSwitch,
): Promise<string | undefined> => {
  const { account, region, name } = cluster
  const where = placeOf(cluster)
  const isNews = ({ state }: StoredSwitch) => unfinished || now.by === 'tag' || state.endsWith(' tag')
  return changed(tools, clusterKey(cluster), {
    now: { state: `${now.action} ${now.by}`, action: now.action, since: readAt },
    noticeOf: (last) => {
      if (last.action === now.action || !isNews(last) || predates(last.since, incarnation)) return undefined
      const released = last.state.endsWith(' brake') && now.by !== 'brake'
      return {
        ...outgoing(clusterSwitched({ where, from: last.action, to: now, released, unfinished })),
        attributes: { severity: 'info', kind: 'switched', cluster: name, account, region },
      }
    },
  })
}

const outgoing = ({ subject, text }: Notice) => ({ subject, text, about: { causes: ['switched'] } })

interface Changing {
  now: StoredSwitch
  noticeOf: (last: StoredSwitch) => OutgoingNotice | undefined
}

/**
 * The first state is recorded without a notice; the recorded state is what people know. What was read before it, by an evaluation
 * that took long, is no news. Answers since when the state is known.
 */
const changed = async (tools: Tools, key: string, { now, noticeOf }: Changing): Promise<string | undefined> => {
  const last = await tools.records.lastSwitch(key)
  if (last?.state === now.state) return last.since
  if (last && Date.parse(now.since) < Date.parse(last.since)) return undefined
  const notice = last && noticeOf(last)
  if (notice) await tellOnce(tools, key, { notice, about: ['switch', last.since, now.state] })
  await tools.records.putSwitch(key, now)
  return last && now.since
}
