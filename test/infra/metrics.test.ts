import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { fieldsOf, listOf, parseFields } from '../../lab/aws/json.ts'
import { countFleet } from '../../shared/domain/fleet-count.ts'
import { counting, metricsOf } from '../../shared/metrics.ts'
import { deployment, everything, ofOrganization } from './deployment.ts'

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted()

/** Facts of log lines that are metrics because of their name. */
const namedInWorkflows = (): string[] => {
  const folder = join(root, 'shared/workflows')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((it) => it.endsWith('.ts'))
  return files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/[{,]\s*([A-Z][a-z]\w*): /g)].map(([, name = '']) => name),
  )
}

const namesOfLine = (line: object): string[] =>
  listOf(fieldsOf(fieldsOf(line)['_aws'])['CloudWatchMetrics']).flatMap((it) =>
    listOf(fieldsOf(it)['Metrics']).map((metric) => String(fieldsOf(metric)['Name'])),
  )

const counted = sorted([
  ...namedInWorkflows(),
  ...Object.keys(countFleet([], new Date(0))),
  ...Object.keys(counting).flatMap((event) =>
    namesOfLine(metricsOf(event, { verdict: 'unknown' }, { seconds: 1, now: 0 })),
  ),
])

/** `service name` of each metric on the page: the first column names metrics, the second their functions. */
const onPage = (): string[] => {
  const page = readFileSync(join(root, 'docs/observability.md'), 'utf8')
  const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, it = '']) => it)
  return page.split('\n').flatMap((line) => {
    const [, metrics = '', services = ''] = line.split('|')
    const names = quoted(metrics).filter((it) => /^[A-Z]\w+$/.test(it))
    return names.flatMap((name) => quoted(services).map((service) => `${service} ${name}`))
  })
}

/** `service name` of each metric of the stack's namespace that a widget shows. */
const onDashboard = (config: object): string[] => {
  const [dashboard] = deployment(config).ofType('AWS::CloudWatch::Dashboard')
  const { widgets } = parseFields(String(dashboard?.properties['DashboardBody'])) ?? {}
  return listOf(widgets).flatMap((widget) =>
    listOf(fieldsOf(fieldsOf(widget)['properties'])['metrics']).flatMap((metric) => {
      const [namespace, name, ...dimensions] = listOf(metric).map(String)
      return namespace === 'CalicoIpvsSync' ? [`${dimensions[dimensions.indexOf('service') + 1]} ${name}`] : []
    }),
  )
}

describe('each metric', () => {
  test('that a function counts is on the page', () => {
    expect(sorted(onPage().map((it) => it.split(' ')[1] ?? ''))).toEqual(counted)
  })

  test('on the page has a widget on the dashboard, and the dashboard shows no other', () => {
    expect(sorted(onDashboard({ ...everything, ...ofOrganization }))).toEqual(sorted(onPage()))
  })

  test('of a function or a reading that a deployment does not have is not on its dashboard', () => {
    const absent = onPage().filter((it) => it.startsWith('on-audit-log ') || it.endsWith(' AccountsFound'))
    expect(absent).not.toEqual([])
    expect(sorted(onDashboard({}))).toEqual(sorted(onPage().filter((it) => !absent.includes(it))))
  })
})
