import {
  type AccessEntry as EksEntry,
  CreateAccessEntryCommand,
  DeleteAccessEntryCommand,
  DescribeAccessEntryCommand,
  type EKSClient,
  ListAccessEntriesCommand,
  ListAssociatedAccessPoliciesCommand,
  TagResourceCommand,
  UpdateAccessEntryCommand,
} from '@aws-sdk/client-eks'
import type { AccessEntry } from '../../domain/grant/entries.ts'
import { failed, failureOf, type Read, type ReadFailure, read } from '../../domain/read.ts'
import { awsFailure, isNotFound, nameOf } from './failure.ts'
import { inTime } from './limits.ts'

/**
 * Access entries of a cluster in EKS. Nothing throws; a failure names its call, and a successful write returns none.
 */
export interface AccessEntries {
  /** Principals; at most a thousand. */
  list: (clusterName: string) => Promise<Read<string[]>>
  /** `undefined` inside: there is none. */
  describe: (clusterName: string, principalArn: string) => Promise<Read<AccessEntry | undefined>>
  create: (
    clusterName: string,
    entry: Pick<AccessEntry, 'principalArn' | 'groups' | 'tags'>,
  ) => Promise<ReadFailure | undefined>
  setGroups: (
    clusterName: string,
    entry: Pick<AccessEntry, 'principalArn' | 'groups'>,
  ) => Promise<ReadFailure | undefined>
  tag: (resourceArn: string, tags: Record<string, string>) => Promise<ReadFailure | undefined>
  policies: (clusterName: string, principalArn: string) => Promise<Read<string[]>>
  remove: (clusterName: string, principalArn: string) => Promise<ReadFailure | undefined>
}

const listedAtMost = 1_000

export const accessEntries = (sdk: EKSClient): AccessEntries => ({
  list: (clusterName) =>
    answered('eks:ListAccessEntries', async (options) => {
      const found: string[] = []
      let nextToken: string | undefined
      do {
        const page = await sdk.send(new ListAccessEntriesCommand({ clusterName, maxResults: 100, nextToken }), options)
        found.push(...(page.accessEntries ?? []))
        nextToken = page.nextToken
      } while (nextToken && found.length < listedAtMost)
      return found
    }),
  describe: (clusterName, principalArn) =>
    answered('eks:DescribeAccessEntry', async (options) => {
      const command = new DescribeAccessEntryCommand({ clusterName, principalArn })
      const { accessEntry } = await sdk.send(command, options).catch(unless(isNotFound, { accessEntry: undefined }))
      return accessEntry && entryOf(accessEntry, principalArn)
    }),
  create: (clusterName, { principalArn, groups: kubernetesGroups, tags }) =>
    done('eks:CreateAccessEntry', async (options) => {
      const input = { clusterName, principalArn, kubernetesGroups, type: 'STANDARD', ...(tags && { tags }) }
      await sdk.send(new CreateAccessEntryCommand(input), options)
    }),
  setGroups: (clusterName, { principalArn, groups: kubernetesGroups }) =>
    done('eks:UpdateAccessEntry', async (options) => {
      await sdk.send(new UpdateAccessEntryCommand({ clusterName, principalArn, kubernetesGroups }), options)
    }),
  tag: (resourceArn, tags) =>
    done('eks:TagResource', async (options) => {
      await sdk.send(new TagResourceCommand({ resourceArn, tags }), options)
    }),
  policies: (clusterName, principalArn) =>
    answered('eks:ListAssociatedAccessPolicies', async (options) => {
      const command = new ListAssociatedAccessPoliciesCommand({ clusterName, principalArn, maxResults: 100 })
      // If EKS does not support the call, there cannot be any.
      const none = (error: unknown) => isNotFound(error) || nameOf(error) === 'UnknownOperationException'
      const answer = await sdk.send(command, options).catch(unless(none, { associatedAccessPolicies: [] }))
      return (answer.associatedAccessPolicies ?? []).map(({ policyArn = 'a policy' }) => policyArn)
    }),
  remove: (clusterName, principalArn) =>
    done('eks:DeleteAccessEntry', async (options) => {
      const command = new DeleteAccessEntryCommand({ clusterName, principalArn })
      await sdk.send(command, options).catch(unless(isNotFound, undefined))
    }),
})

type Call<T> = (options: { abortSignal: AbortSignal }) => Promise<T>

const answered = async <T>(what: string, call: Call<T>): Promise<Read<T>> => {
  try {
    return read(await inTime(what, call))
  } catch (error) {
    return failed(awsFailure(error, what))
  }
}

const done = async (what: string, call: Call<void>): Promise<ReadFailure | undefined> =>
  failureOf(await answered(what, call))

const unless =
  <T>(isMeant: (error: unknown) => boolean, instead: T) =>
  (error: unknown): T => {
    if (isMeant(error)) return instead
    throw error
  }

const entryOf = (entry: EksEntry, principalArn: string): AccessEntry => ({
  principalArn,
  arn: entry.accessEntryArn ?? '',
  groups: entry.kubernetesGroups ?? [],
  type: entry.type ?? 'STANDARD',
  ...(entry.tags && { tags: entry.tags }),
})
