import * as z from 'zod'
import { type AccessEntry, eksError, type Holding, newAccessEntry, now } from './eks-model.ts'
import { type EksCall, type EksContext, holdingNamed, type Operations, paged, parseBody } from './eks-operation.ts'

const entryCreation = z.looseObject({
  principalArn: z.string().startsWith('arn:'),
  kubernetesGroups: z.array(z.string()).optional(),
  username: z.string().optional(),
  type: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
})

const entryUpdate = z.looseObject({
  kubernetesGroups: z.array(z.string()).optional(),
  username: z.string().optional(),
})

const tagging = z.looseObject({ tags: z.record(z.string(), z.string()) })

export const accessOperations: Operations = {
  CreateAccessEntry: {
    method: 'POST',
    path: '/clusters/{name}/access-entries',
    run: (call, eks) => {
      const holding = holdingWithEntries(eks, call)
      const { principalArn, kubernetesGroups, username, type, tags } = parseBody(entryCreation, call.body)
      if (holding.accessEntries.has(principalArn))
        throw eksError(
          'ResourceInUseException',
          'The specified access entry resource is already in use on this cluster.',
        )
      const given = {
        ...(kubernetesGroups && { kubernetesGroups }),
        ...(username && { username }),
        ...(type && { type }),
        ...(tags && { tags }),
      }
      const accessEntry = newAccessEntry(holding, principalArn, given)
      holding.accessEntries.set(principalArn, accessEntry)
      return { accessEntry: withoutPolicies(accessEntry) }
    },
  },
  ListAccessEntries: {
    method: 'GET',
    path: '/clusters/{name}/access-entries',
    run: (call, eks) => {
      const { page, ...more } = paged([...holdingWithEntries(eks, call).accessEntries.keys()].sort(), call.query)
      return { accessEntries: page, ...more }
    },
  },
  DescribeAccessEntry: {
    method: 'GET',
    path: '/clusters/{name}/access-entries/{principalArn}',
    run: (call, eks) => ({ accessEntry: withoutPolicies(entryOf(holdingWithEntries(eks, call), call)) }),
  },
  UpdateAccessEntry: {
    method: 'POST',
    path: '/clusters/{name}/access-entries/{principalArn}',
    run: (call, eks) => {
      const entry = entryOf(holdingWithEntries(eks, call), call)
      Object.assign(entry, parseBody(entryUpdate, call.body), { modifiedAt: now() })
      return { accessEntry: withoutPolicies(entry) }
    },
  },
  ListAssociatedAccessPolicies: {
    method: 'GET',
    path: '/clusters/{name}/access-entries/{principalArn}/access-policies',
    run: (call, eks) => {
      const { principalArn, policies } = entryOf(holdingWithEntries(eks, call), call)
      const accessScope = { type: 'cluster', namespaces: [] }
      const associatedAccessPolicies = policies.map((policyArn) => ({ policyArn, accessScope }))
      return { clusterName: call.labels['name'] ?? '', principalArn, associatedAccessPolicies }
    },
  },
  DeleteAccessEntry: {
    method: 'DELETE',
    path: '/clusters/{name}/access-entries/{principalArn}',
    run: (call, eks) => {
      const holding = holdingWithEntries(eks, call)
      holding.accessEntries.delete(entryOf(holding, call).principalArn)
      return {}
    },
  },
  TagResource: {
    method: 'POST',
    path: '/tags/{resourceArn}',
    run: (call, eks) => {
      Object.assign(tagged(call, eks), parseBody(tagging, call.body).tags)
      return {}
    },
  },
  UntagResource: {
    method: 'DELETE',
    path: '/tags/{resourceArn}',
    run: (call, eks) => {
      const tags = tagged(call, eks)
      for (const key of call.query.getAll('tagKeys')) delete tags[key]
      return {}
    },
  },
  ListTagsForResource: {
    method: 'GET',
    path: '/tags/{resourceArn}',
    run: (call, eks) => ({ tags: tagged(call, eks) }),
  },
}

/** Policies are told by a call of their own. */
const withoutPolicies = ({ policies: _policies, ...entry }: AccessEntry) => entry

/** With the ConfigMap alone there are none. */
function holdingWithEntries(eks: EksContext, call: EksCall): Holding {
  const holding = holdingNamed(eks, call)
  if (holding.cluster.accessConfig.authenticationMode !== 'CONFIG_MAP') return holding
  const message =
    "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
  throw eksError('InvalidRequestException', message, { clusterName: holding.cluster.name })
}

function entryOf({ cluster, accessEntries }: Holding, { labels }: EksCall): AccessEntry {
  const entry = accessEntries.get(labels['principalArn'] ?? '')
  if (entry !== undefined) return entry
  const message = `The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.`
  throw eksError('ResourceNotFoundException', message, { clusterName: cluster.name })
}

/** The tags of a cluster, an add-on or an access entry, by its ARN. */
function tagged({ labels }: EksCall, { holdings }: EksContext): Record<string, string> {
  const arn = labels['resourceArn'] ?? ''
  for (const { cluster, addons, accessEntries } of holdings) {
    if (cluster.arn === arn) return cluster.tags
    for (const addon of addons.values()) if (addon.addonArn === arn) return addon.tags
    for (const entry of accessEntries.values()) if (entry.accessEntryArn === arn) return entry.tags
  }
  // The tagging calls have error shapes of their own, without `Resource` in the name.
  throw eksError('NotFoundException', `Resource with ARN ${arn} not found`)
}
