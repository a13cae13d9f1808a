import type { CalicoApi } from '../../domain/report.ts'
import { KubeError } from '../../errors.ts'
import { needed } from '../needed.ts'
import { putRollout } from './lease.ts'
import type { LeasedRollout } from './tools.ts'
import type { Outcome, StepTools } from './tools.ts'

const v1: CalicoApi = 'crd.projectcalico.org/v1'

/**
 * A rollout keeps to the API it began with, and waits for one that is down. One that is no longer served at all would keep it
 * from going on and from ending: then it goes on with the stored objects, which are the same. One more request, and the
 * Lease is all that this step writes.
 */
export const unlessApiIsGone = async (
  tools: StepTools,
  { record, rollout }: LeasedRollout,
  step: () => Promise<Outcome>,
): Promise<Outcome> => {
  try {
    return await step()
  } catch (error) {
    const { where } = rollout
    if (!(error instanceof KubeError) || error.status !== 404 || where.api === v1) throw error
    const apis = needed(await tools.kube.apis())
    if (apis.includes(where.api) || !apis.includes(v1)) throw error
    const why = `${where.api} is no longer served`
    const note = [{ what: 'api', from: where.api, to: v1, why }]
    await putRollout(tools, { record }, { ...rollout, where: { ...where, api: v1 } }, { note })
    tools.tell({ what: 'rollout goes on through another API', why, from: where.api, to: v1 })
    return { next: 'now' }
  }
}
