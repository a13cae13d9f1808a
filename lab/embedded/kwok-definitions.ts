import { standInLabel } from './calico-definitions.ts'
import type { KubeObject } from './object.ts'

/**
 * The KWOK resources that say how pods live and what their logs hold; this server reads them as KWOK does (`stages`,
 * `pod-logs`).
 */
export const kwokDefinitions: readonly KubeObject[] = [
  definition('Stage', 'stages', 'Cluster'),
  definition('Logs', 'logs', 'Namespaced'),
  definition('ClusterLogs', 'clusterlogs', 'Cluster'),
]

function definition(kind: string, plural: string, scope: string): KubeObject {
  const group = 'kwok.x-k8s.io'
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const version = {
    name: 'v1alpha1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { [standInLabel]: 'true' } },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope,
      versions: [version],
    },
  }
}
