import { gzipSync } from 'node:zlib'
import { matchesFilter } from './filter-pattern.ts'
import { textOf } from './json.ts'
import type { Targets } from './targets.ts'
import type { Resource, Stack } from './template.ts'

export interface LogSubscriptions {
  /** Lines that somebody writes into a log group: what a filter of the template lets through goes to its function. Answers how many did. */
  write: (logGroup: string, logStream: string, lines: string[]) => number
  pending: () => number
}

/** CloudWatch Logs' subscription filters. A function that does not let in the log group gets nothing, as with AWS. */
export function createLogSubscriptions(
  stack: Stack,
  { targets, onFault }: { targets: Targets; onFault: (fault: Error) => void },
): LogSubscriptions {
  let pending = 0
  const deliver = (filter: Resource, about: { logGroup: string; logStream: string; lines: string[] }) => {
    const to = textOf(filter.properties['DestinationArn']) ?? ''
    const content = {
      messageType: 'DATA_MESSAGE',
      owner: stack.account,
      logGroup: about.logGroup,
      logStream: about.logStream,
      subscriptionFilters: [textOf(filter.properties['FilterName']) ?? filter.label],
      logEvents: about.lines.map((message, id) => ({ id: String(id), timestamp: Date.now(), message })),
    }
    pending += 1
    targets
      .deliver(to, { awslogs: { data: gzipSync(JSON.stringify(content)).toString('base64') } })
      .catch((error: unknown) => onFault(error instanceof Error ? error : new Error(String(error))))
      .finally(() => void (pending -= 1))
  }
  return {
    pending: () => pending,
    write: (logGroup, logStream, lines) => {
      let through = 0
      for (const filter of stack.ofType('AWS::Logs::SubscriptionFilter')) {
        if (filter.properties['LogGroupName'] !== logGroup) continue
        const kept = lines.filter((line) => matchesFilter(textOf(filter.properties['FilterPattern']) ?? '', line))
        if (kept.length === 0) continue
        if (!isLetIn(stack, filter, logGroup)) throw new Error(`the function of ${filter.label} lets in no ${logGroup}`)
        deliver(filter, { logGroup, logStream, lines: kept })
        through += kept.length
      }
      return through
    },
  }
}

const isLetIn = (stack: Stack, filter: Resource, logGroup: string): boolean => {
  const arn = `arn:aws:logs:${stack.region}:${stack.account}:log-group:${logGroup}:*`
  return stack.ofType('AWS::Lambda::Permission').some(({ properties: it }) => {
    const pattern = (textOf(it['SourceArn']) ?? '').replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
    return (
      it['Principal'] === 'logs.amazonaws.com' &&
      it['FunctionName'] === filter.properties['DestinationArn'] &&
      it['SourceAccount'] === stack.account &&
      new RegExp(`^${pattern}$`).test(arn)
    )
  })
}
