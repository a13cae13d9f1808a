import { counted } from '../../shared/domain/counted.ts'
import type { Moment } from '../aws/cloud.ts'
import { parseFields, type Fields, fieldsOf, textOf } from '../aws/json.ts'

/** Tells what happens as it happens: one line per thing worth knowing, with the time since the beginning. */
export interface Story {
  act: (title: string, ...lines: string[]) => void
  say: (who: string, text: string) => void
  moment: (moment: Moment) => void
  lines: string[]
}

export const tellStory = (write: (line: string) => void): Story => {
  const begun = performance.now()
  const lines: string[] = []
  const mailed = new Set<string>()
  const put = (line: string) => {
    lines.push(line)
    write(line)
  }
  const say = (who: string, text: string) => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(5)
    put(`${seconds} s  ${who.padEnd(13)} ${text}`)
  }
  return {
    lines,
    say,
    act: (title, ...more) => ['', `── ${title}`, ...more.map((line) => `   ${line}`)].forEach(put),
    moment: (moment) => {
      if (moment.kind === 'delivery') mailed.add(moment.subject ?? '')
      const line = moment.kind === 'slack' ? ofSlack(moment, mailed) : inWords(moment)
      if (line) say(...line)
    },
  }
}

const inWords = (moment: Moment): [string, string] | undefined => {
  switch (moment.kind) {
    case 'event':
      return ['EKS', textOf(fieldsOf(moment.event.detail)['eventName']) ?? moment.event['detail-type']]
    case 'routed':
      return ['EventBridge', `rule ${moment.rule} → ${moment.target}`]
    case 'schedule':
      return ['Scheduler', `fires ${moment.schedule}`]
    case 'log':
      return ofLog(moment.function, parseFields(moment.line) ?? {})
    case 'delivery':
      return ['e-mail', `${moment.subject ?? ''} (to ${moment.endpoint})`]
    case 'fault':
      return ['lab', `fault: ${moment.fault.message}`]
    case 'invocation':
    case 'slack':
    case 'batch':
    case 'call':
      return undefined
  }
}

/** Progress goes to Slack alone, so it is said what it is. */
const ofSlack = ({ body }: Extract<Moment, { kind: 'slack' }>, mailed: ReadonlySet<string>): [string, string] => {
  const text = textOf(body['text']) ?? ''
  return ['Slack', mailed.has(text) ? 'the same notice' : text]
}

const clusterOf = (line: Fields): string => textOf(line['cluster'])?.split('/').at(-1) ?? ''

const ofLog = (name: string, line: Fields): [string, string] | undefined => {
  const cluster = clusterOf(line)
  switch (textOf(line['message'])) {
    case 'event':
      return [name, `${textOf(line['cause'])} requests an evaluation of ${cluster}`]
    case 'listed':
      return [
        name,
        `${counted(Number(line['clusters']), 'cluster')} to look at in ${clusterOf({ cluster: line['place'] })}`,
      ]
    case 'assessed':
      return [name, `${cluster} is ${textOf(line['verdict'])}${findingsOf(line)}${planOf(line)}`]
    case 'step':
      return stepOf(name, cluster, line)
    case 'rollout begins':
    case 'rollout finished':
    case 'rollout halted':
      return [name, `${textOf(line['message'])}${line['why'] ? `: ${textOf(line['why'])}` : ''}`]
    case 'override written':
    case 'calico-node restarted':
      return [
        name,
        `${textOf(line['message'])} on ${textOf(line['node'])}${line['why'] ? ` (${textOf(line['why'])})` : ''}`,
      ]
    case 'value written to default':
      return [name, `default takes the value; every node has it already, so none restarts`]
    case 'override removed':
      return [name, `${textOf(line['object'])} removed`]
    case 'failed':
    case 'message failed':
      return [name, `FAILED ${JSON.stringify(line['error'])}`]
    default:
      return undefined
  }
}

/** Steps that follow at once have told their effect already. */
const stepOf = (name: string, cluster: string, line: Fields): [string, string] | undefined => {
  if (line['next'] === 'now') return undefined
  const why = textOf(line['why']) ?? ''
  return [name, `${cluster}: ${line['next'] === 'wait' ? `wait ${String(line['seconds'])} s, ${why}` : why}`]
}

const findingsOf = (line: Fields): string => {
  const findings = (Array.isArray(line['findings']) ? line['findings'] : []).map(fieldsOf)
  const codes = findings.filter((it) => it['severity'] !== 'info').map((it) => textOf(it['code']))
  return codes.length > 0 ? `: ${[...new Set(codes)].join(', ')}` : ''
}

const planOf = (line: Fields): string => {
  const blocked = Array.isArray(line['blockedBy']) ? line['blockedBy'] : []
  const changes = Number(line['changes'] ?? 0)
  if (blocked.length > 0) return `; nothing may be changed (${blocked.join(', ')})`
  return changes > 0
    ? `; plan: ${counted(changes, 'change')}, ${textOf(line['action']) === 'sync' ? 'carried out now' : 'only told'}`
    : ''
}
