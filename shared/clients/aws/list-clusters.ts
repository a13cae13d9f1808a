import { type EKSClient, ListClustersCommand } from '@aws-sdk/client-eks'
import { failed, type Read, read } from '../../domain/read.ts'
import { awsFailure, noAnswer } from './failure.ts'
import { inTime } from './limits.ts'

/** For all pages and retries together; the function has a minute. */
const listMs = 40_000

/** For one page, with its retries, and the credentials, whose own deadline is shorter. */
const pageMs = 13_000

/** Names of the clusters, or why they cannot be listed: the error shows whether STS denied the role or EKS the call. */
export const listClusters = async (sdk: EKSClient): Promise<Read<string[]>> => {
  try {
    return read(await clusterNames(sdk, listMs))
  } catch (error) {
    return failed(awsFailure(error, 'eks:ListClusters'))
  }
}

/**
 * Names of the clusters that EKS runs, without registered external clusters. Throws if the list cannot be read,
 * within `ms` for all pages.
 */
export const clusterNames = (sdk: EKSClient, ms?: number): Promise<string[]> =>
  inTime('eks:ListClusters', (options) => listAll(sdk, options), ms)

const listAll = async (sdk: EKSClient, options: { abortSignal: AbortSignal }): Promise<string[]> => {
  const names: string[] = []
  let nextToken: string | undefined
  do {
    const command = new ListClustersCommand({ maxResults: 100, nextToken })
    const ask = (ofPage: typeof options) => {
      const abortSignal = AbortSignal.any([options.abortSignal, ofPage.abortSignal])
      return sdk.send(command, { abortSignal })
    }
    const page = await inTime('eks:ListClusters', ask, pageMs)
    if (!page.clusters) throw noAnswer('a list')
    names.push(...page.clusters)
    nextToken = page.nextToken
  } while (nextToken)
  return names
}
