import type { CalicoApi } from '../../domain/report.ts'
import { isOutdated, KubeError } from '../../errors.ts'
import { needed } from '../needed.ts'
import { finish } from './apply.ts'
import { putRollout } from './lease.ts'
import type { LeasedRollout, Outcome, StepTools } from './tools.ts'

const v1: CalicoApi = 'crd.projectcalico.org/v1'

/**
 * A rollout uses the API it began with, and waits while that is unavailable. If the API is no longer served, the
 * rollout could neither continue nor end: then it continues through Calico's other API, with the same objects. v1 is that of the
 * stored objects; where Calico moved these to definitions of v3, v1 is gone. Where neither is served, our overrides are gone as
 * well, and an abort ends. This step needs one more request and writes only the Lease.
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
    // Of the stored objects, one that was deleted says nothing about their API.
    if (!(error instanceof KubeError) || error.status !== 404 || (where.api === v1 && isOutdated(error))) throw error
    const apis = needed(await tools.kube.apis())
    if (apis.includes(where.api)) throw error
    const why = `${where.api} is no longer served`
    const api = where.api === v1 ? 'projectcalico.org/v3' : v1
    if (!apis.includes(api)) {
      if (rollout.state !== 'aborting') throw error
      return finish(tools, { record, rollout, seen: { objects: [] } }, why)
    }
    const note = [{ what: 'api', from: where.api, to: api, why }]
    await putRollout(tools, { record }, { ...rollout, where: { ...where, api } }, { note })
    tools.tell({ what: 'rollout continues through another API', why, from: where.api, to: api })
    return { next: 'now' }
  }
}
