import { arnsWithin, decoded, type EksArn, eksArn, type Fields, items, record, text } from './fields.ts'

export interface Place {
  account: string
  region: string
}

/**
 * The clusters that an event is about, or why there are none. The event only requests an evaluation; the change
 * itself is not read from it. `refused`: it names another account than the one it comes from.
 */
export type Touched =
  | { clusters: (Place & { name: string })[]; cause: string }
  | { ignored: string }
  | { refused: string }

/**
 * Parses EKS API calls from CloudTrail, EKS add-on events, configuration items of AWS Config, and AWS Health events
 * about EKS, as EventBridge delivers them. Never throws: an unknown event is ignored, with the reason.
 */
export const touchedBy = (event: unknown): Touched => {
  const it = record(event)
  const type = text(it['detail-type'])
  if (type === 'AWS API Call via CloudTrail') return ofApiCall(it)
  if (type?.startsWith('EKS Addon ')) return ofAddonEvent(it, type)
  if (type === 'Config Configuration Item Change') return ofConfigItem(it)
  if (type === 'AWS Health Event') return ofHealthEvent(it)
  return { ignored: `detail-type ${type ?? 'missing'} says nothing about a cluster` }
}

const ofApiCall = (event: Fields): Touched => {
  const detail = record(event['detail'])
  const name = text(detail['eventName']) ?? 'unknown call'
  if (text(detail['eventSource']) !== 'eks.amazonaws.com') return { ignored: `${name} is not a call to EKS` }
  if (detail['errorCode']) return { ignored: `${name} failed (${text(detail['errorCode']) ?? 'error'})` }
  const request = record(detail['requestParameters'])
  const response = record(detail['responseElements'])
  const update = text(record(response['update'])['id'])
  const carriers = ['addon', 'nodegroup', 'accessEntry', 'fargateProfile', 'certificateAuthority']
  return touched(event, {
    cause: [name, update].filter(Boolean).join(' '),
    account: text(detail['recipientAccountId']),
    names: [
      decoded(request['name']),
      decoded(request['clusterName']),
      text(record(response['cluster'])['name']),
      ...carriers.map((key) => text(record(response[key])['clusterName'])),
    ],
    arns: [decoded(request['resourceArn']), ...items(detail['resources']).map(arnIn)],
  })
}

/** The format of `detail` is not documented: name and ARN are searched in all likely fields. */
const ofAddonEvent = (event: Fields, type: string): Touched => {
  const detail = record(event['detail'])
  return touched(event, {
    cause: type,
    names: [text(detail['clusterName']), text(detail['cluster-name']), text(record(detail['addon'])['clusterName'])],
    arns: [...items(event['resources']).map(arnIn), ...arnsWithin(detail)],
  })
}

const ofConfigItem = (event: Fields): Touched => {
  const detail = record(event['detail'])
  const item = { ...record(detail['configurationItemSummary']), ...record(detail['configurationItem']) }
  const type = text(item['resourceType'])
  if (type !== 'AWS::EKS::Cluster' && type !== 'AWS::EKS::Addon')
    return { ignored: `Config item of ${type ?? 'no type'}` }
  const id = text(item['resourceId'])
  const configuration = record(item['configuration'])
  // A deleted resource only has its id. The id of an add-on contains its cluster only if it has two parts.
  const own =
    type === 'AWS::EKS::Cluster'
      ? [text(configuration['Name']), text(item['resourceName']), id]
      : [/^([^|/:]+)[|/]/.exec(id ?? '')?.[1]]
  return touched(event, {
    cause: `Config item of ${type}`,
    account: text(item['awsAccountId']),
    region: text(item['awsRegion']),
    names: [text(configuration['ClusterName']), ...own],
    arns: [text(item['ARN']), text(configuration['Arn']), id, ...items(event['resources']).map(arnIn)],
  })
}

/** AWS delivers it to the affected region and to a backup region: `eventRegion` is the affected one. */
const ofHealthEvent = (event: Fields): Touched => {
  const detail = record(event['detail'])
  const code = text(detail['eventTypeCode']) ?? 'AWS Health event'
  if (text(detail['service']) !== 'EKS') return { ignored: `${code} is not about EKS` }
  const affected = text(detail['affectedAccount'])
  if (affected !== undefined && affected !== text(event['account']))
    return {
      ignored: `${code} is of account ${affected.slice(0, 20)}, which an organization's view shows here: it has its own event`,
    }
  const entities = items(detail['affectedEntities']).map((it) => text(record(it)['entityValue']))
  return touched(event, {
    cause: code,
    region: text(detail['eventRegion']),
    names: [],
    arns: [...entities, ...items(event['resources']).map(arnIn)],
    // The affected entity may be the account itself.
    each: entities.filter((it) => it !== undefined && !/^(\d{12}|UNKNOWN|AWS_ACCOUNT)$/.test(it)),
  })
}

interface Said {
  cause: string
  /** From `detail`, if present. */
  account?: string | undefined
  region?: string | undefined
  /** Candidates for the cluster name: the first valid one is used. */
  names: (string | undefined)[]
  /** Candidates for an EKS ARN. */
  arns: (string | undefined)[]
  /** Cluster names, all of which are used. */
  each?: (string | undefined)[]
}

/** The maximum for one event. The sweep evaluates the rest. */
const clustersAtMost = 50

const touched = (event: Fields, said: Said): Touched => {
  const { names, each = [] } = said
  const [account, region] = [text(event['account']), text(event['region'])]
  if (!account || !region) return { ignored: `${said.cause} has no account and region` }
  const arns = said.arns.flatMap((it) => eksArn(it) ?? [])
  const foreign = [said.account, ...arns.map((it) => it.account)].find((it) => it !== undefined && it !== account)
  if (foreign !== undefined)
    return { refused: `${said.cause} comes from account ${account} and names account ${foreign.slice(0, 20)}` }
  const place = { account, region: said.region ?? region }
  const one = names.find(isName)
  const named = one === undefined ? each.filter(isName) : [one]
  const clusters = [
    ...named.map((name) => ({ ...place, name })),
    // An ARN also contains the region.
    ...(one === undefined ? arns.map((it) => placed(it, account)) : []),
  ]
  const distinct = [...new Map(clusters.map((it) => [`${it.region}/${it.name}`, it])).values()]
  if (distinct.length === 0) return { ignored: `${said.cause} names no cluster` }
  return { clusters: distinct.slice(0, clustersAtMost), cause: said.cause.slice(0, 300) }
}

const placed = ({ region, cluster }: EksArn, account: string) => ({ account, region, name: cluster })

const isName = (it: string | undefined): it is string => it !== undefined && /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/.test(it)

const arnIn = (entry: unknown): string | undefined => text(entry) ?? text(record(entry)['ARN'])
