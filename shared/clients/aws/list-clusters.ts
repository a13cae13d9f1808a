import { failed, type Read, read } from '../../domain/read.ts'
import type { EksClient } from './eks.ts'
import { awsFailure } from './failure.ts'

/** For all pages and retries together; the function has a minute. */
const listMs = 40_000

/** Names of the clusters, or why they cannot be listed: the error shows whether STS denied the role or EKS the call. */
export const listClusters = async (eks: EksClient): Promise<Read<string[]>> => {
  try {
    return read(await eks.list(listMs))
  } catch (error) {
    return failed(awsFailure(error, 'eks:ListClusters'))
  }
}
