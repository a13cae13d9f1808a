/** The Kubernetes groups that infra/kubernetes/rbac.yaml binds. */
export const groups = { viewers: 'calico-ipvs-sync-viewers', operators: 'calico-ipvs-sync-operators' } as const

/** Roles of an account that a fleet is entered by, where no others are named. */
export const usualRoles = { viewer: 'calico-ipvs-sync-viewer', operator: 'calico-ipvs-sync-operator' } as const

/** On an access entry: `created` (it is ours, and may go) or `extended` (it was there before us; only our group is ours). */
export const madeKey = 'calico-ipvs-sync/access-entry'

/** EKS names a role in aws-auth without its path, which its sessions do not have. */
export const withoutPath = (roleArn: string): string => roleArn.replace(/:role\/(?:.*\/)?([^/]+)$/, ':role/$1')

/** Under `mapRoles` of the ConfigMap aws-auth, for a cluster that takes no access entries. */
export const mapRoles = (wanted: readonly { principalArn: string; groups: readonly string[] }[]): string =>
  wanted
    .map(({ principalArn, groups: [first = '', ...more] }) =>
      [
        `- rolearn: ${withoutPath(principalArn)}`,
        `  username: ${first}`,
        '  groups:',
        ...[first, ...more].map((group) => `  - ${group}`),
      ].join('\n'),
    )
    .join('\n')
