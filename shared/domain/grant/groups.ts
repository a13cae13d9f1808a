/** The Kubernetes groups that infra/kubernetes/rbac.yaml binds. */
export const groups = { viewers: 'calico-ipvs-sync-viewers', operators: 'calico-ipvs-sync-operators' } as const

/** The default names of the roles in an account. */
export const usualRoles = { viewer: 'calico-ipvs-sync-viewer', operator: 'calico-ipvs-sync-operator' } as const

/**
 * On an access entry: `created` (grant created it and may delete it) or `extended` (it existed before; only our group
 * was added).
 */
export const madeKey = 'calico-ipvs-sync/access-entry'

/** aws-auth needs the role without its path, because the ARNs of sessions have no path. */
export const withoutPath = (roleArn: string): string => roleArn.replace(/:role\/(?:.*\/)?([^/]+)$/, ':role/$1')

/** The entry under `mapRoles` of the ConfigMap aws-auth, for a cluster without access entries. */
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
