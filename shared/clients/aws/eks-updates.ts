import { DescribeUpdateCommand, type EKSClient, ListUpdatesCommand, type Update } from '@aws-sdk/client-eks'
import type { EksUpdate } from '../../domain/cluster.ts'
import { failed, type Read, read } from '../../domain/read.ts'
import { inTime } from './limits.ts'
import { awsFailure } from './failure.ts'
import { present } from '../foreign.ts'

/** The list has only ids in no defined order: this many are read to find the updates in progress. */
const lookedAt = 10

/**
 * Updates of the cluster or of kube-proxy's add-on in progress. Read only if a status shows an update: an update of
 * range, version or add-on is visible in one of them until its end. `ms`: the deadline.
 */
export async function updatesUnderWay(
  sdk: EKSClient,
  name: string,
  status: { cluster: string; addon?: string | undefined; ms: number },
): Promise<Read<EksUpdate[]>> {
  try {
    const ask = (options: { abortSignal: AbortSignal }) =>
      Promise.all([
        status.cluster === 'ACTIVE' ? [] : updatesOf(sdk, { name }, options),
        /^(CREATING|UPDATING|DELETING)$/.test(status.addon ?? '')
          ? updatesOf(sdk, { name, addonName: 'kube-proxy' }, options)
          : [],
      ])
    const found = await inTime('eks:ListUpdates', ask, status.ms)
    return read(found.flat())
  } catch (error) {
    return failed(awsFailure(error, 'eks:ListUpdates'))
  }
}

async function updatesOf(
  sdk: EKSClient,
  of: { name: string; addonName?: string },
  options: { abortSignal: AbortSignal },
): Promise<EksUpdate[]> {
  const { updateIds = [] } = await sdk.send(new ListUpdatesCommand({ ...of, maxResults: 100 }), options)
  const described = updateIds
    .slice(0, lookedAt)
    .map((updateId) => sdk.send(new DescribeUpdateCommand({ ...of, updateId }), options))
  const updates = (await Promise.all(described)).map(({ update }) => update)
  return updates.flatMap((update) => (update?.status === 'InProgress' ? updateOf(update, of.addonName) : []))
}

const updateOf = ({ id, type, status, createdAt }: Update, addon: string | undefined): EksUpdate =>
  present<EksUpdate>({
    id: id ?? '',
    type: type ?? '',
    status: status ?? '',
    addon,
    nodegroup: undefined,
    startedAt: createdAt?.toISOString(),
  })
