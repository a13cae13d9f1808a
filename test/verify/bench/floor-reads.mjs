// The requests that reading a cluster costs at least, one after another's discovery, and nothing done with the answers but
// parsing them. Plain JavaScript, so that no type is stripped at its start.
import { Agent, get } from 'node:https'

export const readCluster = async ({ server, ca, token }) => {
  const agent = new Agent({ keepAlive: true, ca, maxSockets: 8 })

  const read = (path) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
      get(new URL(path, server), { agent, headers }, (response) => {
        const pieces = []
        response.on('data', (piece) => pieces.push(piece))
        response.on('end', () => resolve(JSON.parse(Buffer.concat(pieces).toString())))
      }).on('error', reject)
    })

  const list = async (path, query = {}) => {
    let items = 0
    for (let next = ''; next !== undefined; ) {
      const page = await read(
        `${path}?${new URLSearchParams({ limit: '500', ...query, ...(next && { continue: next }) })}`,
      )
      items += page.items?.length ?? 0
      next = page.metadata?.continue || undefined
    }
    return items
  }

  const kubeSystem = '/api/v1/namespaces/kube-system'
  const crd = '/apis/crd.projectcalico.org/v1'
  await Promise.all([read('/version'), read('/apis')])
  await Promise.all([
    list('/api/v1/nodes'),
    list('/apis/apps/v1/daemonsets').then(() =>
      Promise.all([
        list(`${kubeSystem}/pods`, { labelSelector: 'k8s-app in (kube-proxy,kube-proxy-2)' }),
        list(`${kubeSystem}/pods`, { labelSelector: 'k8s-app=calico-node' }),
        read(`${kubeSystem}/configmaps/kube-proxy-config`),
        read(`${kubeSystem}/configmaps/kubernetes-services-endpoint`),
      ]),
    ),
    list(`${crd}/felixconfigurations`),
    read(`${crd}/clusterinformations/default`),
    list('/api/v1/services', { fieldSelector: 'spec.type!=ClusterIP' }),
    read('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'),
  ])
  agent.destroy()
}
