/** Which cluster an event touched, or why it touches none. What changed is not taken from it: it only says "look". */
export type Touched =
  | { cluster: { account: string; region: string; name: string }; cause: string }
  | { ignored: string }

/**
 * Understands CloudTrail's API calls of EKS, EKS's own add-on events, and configuration items of AWS Config, in the
 * shapes EventBridge delivers. Never throws: an event it does not know is ignored, with the reason.
 */
export const touchedBy = (event: unknown): Touched => {
  const it = record(event)
  const type = text(it['detail-type'])
  if (type === 'AWS API Call via CloudTrail') return ofApiCall(it)
  if (type?.startsWith('EKS Addon ')) return ofAddonEvent(it, type)
  if (type === 'Config Configuration Item Change') return ofConfigItem(it)
  return { ignored: `detail-type ${type ?? 'missing'} says nothing about a cluster` }
}

const ofApiCall = (event: Fields): Touched => {
  const detail = record(event['detail'])
  const name = text(detail['eventName']) ?? 'unknown call'
  if (text(detail['eventSource']) !== 'eks.amazonaws.com') return { ignored: `${name} is not a call of EKS` }
  if (detail['errorCode']) return { ignored: `${name} failed (${text(detail['errorCode']) ?? 'error'})` }
  const request = record(detail['requestParameters'])
  const response = record(detail['responseElements'])
  const update = text(record(response['update'])['id'])
  return found(event, [name, update].filter(Boolean).join(' '), [
    decoded(request['name']),
    decoded(request['clusterName']),
    nameInArn(decoded(request['resourceArn'])),
    text(record(response['cluster'])['name']),
    ...['addon', 'nodegroup', 'accessEntry', 'fargateProfile'].map((key) => text(record(response[key])['clusterName'])),
    ...arnsIn(detail['resources']).map(nameInArn),
  ])
}

/** The shape of `detail` is not published: the name is looked for wherever it may be. */
const ofAddonEvent = (event: Fields, type: string): Touched => {
  const detail = record(event['detail'])
  return found(event, type, [
    text(detail['clusterName']),
    text(detail['cluster-name']),
    text(record(detail['addon'])['clusterName']),
    ...arnsIn(event['resources']).map(nameInArn),
  ])
}

const ofConfigItem = (event: Fields): Touched => {
  const detail = record(event['detail'])
  const item = { ...record(detail['configurationItemSummary']), ...record(detail['configurationItem']) }
  const type = text(item['resourceType'])
  const configuration = record(item['configuration'])
  if (type !== 'AWS::EKS::Cluster' && type !== 'AWS::EKS::Addon')
    return { ignored: `Config item of ${type ?? 'no type'}` }
  const own = type === 'AWS::EKS::Cluster' ? [text(item['resourceName']), text(item['resourceId'])] : []
  const names = [
    text(configuration['ClusterName']),
    nameInArn(text(item['ARN'])),
    ...own,
    text(item['resourceId'])?.split('|')[0],
  ]
  const place = { account: item['awsAccountId'] ?? event['account'], region: item['awsRegion'] ?? event['region'] }
  return found(place, `Config item of ${type}`, names)
}

const found = (place: Fields, cause: string, names: (string | undefined)[]): Touched => {
  const name = names.find((it) => it !== undefined && /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/.test(it))
  const account = text(place['account'])
  const region = text(place['region'])
  if (!name || !account || !region) return { ignored: `${cause} names no cluster` }
  return { cluster: { account, region, name }, cause: cause.slice(0, 300) }
}

type Fields = Record<string, unknown>

const record = (it: unknown): Fields => (typeof it === 'object' && it !== null ? (it as Fields) : {})
const text = (it: unknown): string | undefined => (typeof it === 'string' && it !== '' ? it : undefined)

/** CloudTrail logs what stood in the path percent-encoded, what stood in the body plain. */
const decoded = (it: unknown): string | undefined => {
  const raw = text(it)
  try {
    return raw && decodeURIComponent(raw)
  } catch {
    return raw
  }
}

const arnsIn = (it: unknown): string[] =>
  (Array.isArray(it) ? it : []).flatMap((entry) => text(entry) ?? text(record(entry)['ARN']) ?? [])

/** `arn:aws:eks:eu-west-1:111122223333:cluster/prod-1`, `…:addon/prod-1/kube-proxy/1a2b…` */
const nameInArn = (arn: string | undefined): string | undefined =>
  /^arn:[^:]+:eks:[^:]*:\d*:(?:cluster|addon|nodegroup|fargateprofile|access-entry)\/([^/]+)/.exec(arn ?? '')?.[1]
