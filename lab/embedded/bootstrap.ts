import { standInDefinitions } from './calico-definitions.ts'
import { type Context, internalWrite } from './context.ts'
import { startDaemonSetController, startPodCollector } from './daemonset-controller.ts'
import { startKubelets } from './kubelets.ts'
import { kwokDefinitions } from './kwok-definitions.ts'
import type { KubeObject } from './object.ts'
import type { Resource } from './resources.ts'
import type { Timers } from './timers.ts'
import { create } from './writes.ts'

/** What a fresh API server holds, and the controllers that run beside it. */
export function bootstrap(context: Context, timers: Timers): void {
  const find = (group: string, plural: string): Resource => {
    const found = context.registry.find(group, 'v1', plural)
    if (found === undefined) throw new Error(`no built-in resource ${plural}`)
    return found
  }
  const add = (resource: Resource, object: KubeObject) =>
    create(context, resource, object, internalWrite('kube-apiserver'))
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    add(find('', 'namespaces'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  const roles = find('rbac.authorization.k8s.io', 'clusterroles')
  const metadata = { name: 'cluster-admin' }
  const rules = [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]
  add(roles, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules })
  const definitions = find('apiextensions.k8s.io', 'customresourcedefinitions')
  for (const definition of [...standInDefinitions, ...kwokDefinitions]) add(definitions, definition)
  const pods = find('', 'pods')
  const nodes = find('', 'nodes')
  const controlled = {
    pods,
    nodes,
    daemonSets: find('apps', 'daemonsets'),
    revisions: find('apps', 'controllerrevisions'),
  }
  startKubelets(context, timers, pods, nodes)
  startPodCollector(context, controlled)
  startDaemonSetController(context, timers, controlled)
}
