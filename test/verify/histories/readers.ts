import type { RuleEvent } from '../../../shared/clients/aws/config-rule-event.ts'
import { fleetRecords } from '../../../shared/clients/aws/fleet-records.ts'
import { placeRows } from '../../../shared/clients/aws/places.ts'
import type { Answer } from '../../../shared/clients/aws/config-rule.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { answerConfig } from '../../../shared/workflows/fleet/config-rule.ts'
import { countOnRecord, writeFleetReport } from '../../../shared/workflows/fleet/fleet-report.ts'
import type { Cluster } from './cluster.ts'
import type { Ended } from './ends.ts'
import type { Stage } from './stage.ts'
import { tableName } from './table.ts'
import { logOf, type Start } from './worker.ts'

/** The functions that only read the records: the daily report and the rule of AWS Config tell of every cluster, in the end. */
export const checkReaders = async (stage: Stage, { fleet, table }: Ended, start: Start): Promise<void> => {
  const { schedule } = stage
  const party = start('fleet-report', 300)
  const dynamo = table.client(party)
  const common = { records: fleetRecords(dynamo, tableName), now: party.now, log: logOf(stage, party) }
  const places = () => placeRows(dynamo, tableName)
  const written = new Map<string, string>()
  const bucket = {
    put: async (key: string, { body }: { body: Uint8Array }) => void written.set(key, Buffer.from(body).toString()),
  }
  const answers: Answer[] = []
  const rule = { evaluated: async () => ['arn/cluster/gone'], put: async (it: Answer) => void answers.push(it) }
  const { own: account, regions } = fleet.configured
  const [region = ''] = regions
  const about = { account, ruleName: 'in-step', resultToken: 'token', at: party.now() }
  const own = [...fleet.clusters.values()].filter(({ ref }) => ref.account === account)
  const changed = (type: string, name: string, isGone: boolean): RuleEvent => ({
    ...about,
    what: 'change',
    resource: { type, id: name, name },
    isGone,
  })
  const events: RuleEvent[] = [
    { ...about, what: 'periodic' },
    ...own.map(({ ref }) => changed('AWS::EKS::Cluster', ref.name, false)),
    changed('AWS::EKS::Cluster', 'gone', true),
    changed('AWS::S3::Bucket', 'c0', false),
  ]
  const done = Promise.all([
    countOnRecord({ ...common, bucket, compressing }),
    writeFleetReport({ ...common, places, bucket, compressing }, party.now()),
    ...events.map((event) => answerConfig({ ...common, rule, region }, event)),
  ])
  await schedule.run(schedule.now() + 60_000)
  await done
  const { clusters = [] } = JSON.parse(written.get('reports/latest/fleet.json') ?? '{}') as { clusters?: Named[] }
  const [wanted, found] = [[...fleet.clusters.values()].map(keyOf), clusters.map(({ cluster }) => clusterKey(cluster))]
  const missing = wanted.filter((key) => !found.includes(key))
  stage.check('the report has every cluster', missing[0] && `${missing.join(' ')} is missing`)
  const told = answers.flatMap(({ evaluations }) => evaluations)
  const typesOf = (name: string, kind: string) =>
    told.filter(({ type, id }) => type === kind && id.endsWith(name)).map(({ compliance }) => compliance.type)
  const unwell = own.filter(({ ref }) => typesOf(ref.name, 'AWS::EKS::Cluster').join(' ') !== 'COMPLIANT COMPLIANT')
  stage.check('AWS Config knows every cluster', unwell[0] && `${unwell.map(keyOf).join(' ')} is not COMPLIANT`)
  const others = [...typesOf('gone', 'AWS::EKS::Cluster'), ...typesOf('c0', 'AWS::S3::Bucket')]
  const isSaid = others.length === 3 && others.every((type) => type === 'NOT_APPLICABLE')
  stage.check('AWS Config knows every cluster', isSaid ? undefined : `of others it hears ${others.join(' ')}`)
}

interface Named {
  cluster: Cluster['ref']
}

const keyOf = ({ ref }: Cluster): string => clusterKey(ref)

const compressing = () => {
  let text = ''
  return {
    write: async (more: string) => void (text += more),
    end: async () => Buffer.from(text),
  }
}
