import type { ConfigRule } from '../../clients/aws/config-rule.ts'
import type { RuleEvent } from '../../clients/aws/config-rule-event.ts'
import type { FleetRecords } from '../../clients/aws/fleet-records.ts'
import { complianceOf, vanished } from '../../domain/compliance.ts'
import type { Log } from '../../log.ts'

export interface ConfigRuleTools {
  records: FleetRecords
  rule: ConfigRule
  region: string
  now: () => Date
  log: Log
}

const clusterType = 'AWS::EKS::Cluster'
const codesAtMost = 6

/** Answers AWS Config from the stored verdicts: no cluster is evaluated for it. */
export const answerConfig = async (tools: ConfigRuleTools, event: RuleEvent): Promise<void> => {
  const { resultToken, at } = event
  const evaluations = event.what === 'change' ? [await onChange(tools, event)] : await allOf(tools, event)
  await tools.rule.put({ resultToken, at, evaluations })
  const count = (type: string) => evaluations.filter(({ compliance }) => compliance.type === type).length
  tools.log('config rule answered', {
    what: event.what,
    compliant: count('COMPLIANT'),
    nonCompliant: count('NON_COMPLIANT'),
    notApplicable: count('NOT_APPLICABLE'),
  })
}

const onChange = async (tools: ConfigRuleTools, event: Extract<RuleEvent, { what: 'change' }>) => {
  const { resource, isGone, account } = event
  const { type, id, name } = resource
  const isCluster = type === clusterType && !isGone
  const seen = isCluster ? await lastOf(tools, `${account}/${tools.region}/${name}`) : undefined
  return { type, id, compliance: isGone ? vanished : complianceOf(seen, tools.now()) }
}

/** Each cluster of the rule's own account and region, and deleted clusters for which the rule has a result. */
const allOf = async (tools: ConfigRuleTools, { account, ruleName }: RuleEvent) => {
  const prefix = `${account}/${tools.region}/`
  const latest = await tools.records.latest(prefix)
  const known = await tools.rule.evaluated(ruleName, clusterType)
  const named = (id: string): string => id.split('cluster/').at(-1) ?? id
  // AWS Config may use another id than the name; a second answer would create a second resource.
  const idOf = (name: string): string => known.find((id) => named(id) === name) ?? name
  const names = latest.map(({ cluster }) => cluster.slice(prefix.length))
  const evaluations = []
  for (const name of names) {
    const compliance = complianceOf(await lastOf(tools, `${prefix}${name}`), tools.now())
    evaluations.push({ type: clusterType, id: idOf(name), compliance })
  }
  const gone = known.filter((id) => !names.includes(named(id)))
  return [...evaluations, ...gone.map((id) => ({ type: clusterType, id, compliance: vanished }))]
}

const lastOf = async ({ records }: ConfigRuleTools, cluster: string) => {
  const report = await records.report(cluster)
  if (!report) return undefined
  const { verdict, observedAt, findings } = report
  const loud = findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)
  return { verdict, observedAt, codes: [...new Set(loud)].slice(0, codesAtMost) }
}
