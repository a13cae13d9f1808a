import { parseFields } from '../../../lab/aws/json.ts'
import type { Claim } from './claim.ts'
import { accounts, type FleetStage, hub, regions } from './stage.ts'

/** Events of who is not of the fleet, and of who is and speaks of somebody else. */
export const strangersClaims = async (stage: FleetStage): Promise<Claim[]> => {
  const asked = await linesAfter(stage, 'event', { ...envelope, account: '999999999999' })
  const resources = [`arn:aws:eks:${hub.region}:999999999999:addon/victim/kube-proxy/1`]
  const dropped = await linesAfter(stage, 'not in the fleet', {
    ...envelope,
    'detail-type': 'EKS Addon Update Succeeded',
    account: accounts[1],
    region: regions[1],
    resources,
    detail: { addonName: 'kube-proxy' },
  })
  return [
    { claim: 'an event of an account that is not in the fleet is heard by nobody', holds: asked === 0 },
    {
      claim: 'an event that speaks of a cluster of yet another account is counted and dropped',
      holds: dropped === 1,
      detail: `${dropped}`,
    },
  ]
}

type SentEvent = Parameters<FleetStage['cloud']['emit']>[0]

/** How often on-event says so of that event. */
const linesAfter = async ({ cloud, moments }: FleetStage, message: string, event: SentEvent): Promise<number> => {
  const from = moments.length
  cloud.emit(event)
  await cloud.idle({ timeoutMilliseconds: 60_000 })
  return moments.slice(from).filter((it) => {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    return line?.['service'] === 'on-event' && line['message'] === message
  }).length
}

const envelope = {
  version: '0' as const,
  id: '7a1e6e1c-0000-4000-8000-000000000001',
  'detail-type': 'AWS API Call via CloudTrail',
  source: 'aws.eks',
  time: '2026-11-20T10:11:12Z',
  region: hub.region,
  account: hub.account,
  resources: [],
  detail: {
    eventSource: 'eks.amazonaws.com',
    eventName: 'UpdateAddon',
    readOnly: false,
    requestParameters: { name: 'x' },
  },
}
