import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import type { Walk } from './hop.ts'

/** Whether Calico's configuration can be read at all, whatever we may: its definitions, and the server of its API. */
export const tryCalico = async ({ take, leaveOut }: Walk, kube: KubeClient, kubectl: string): Promise<void> => {
  const apis = valueOf(await kube.apis())
  if (!apis) return leaveOut('Calico API', 'the server does not list its APIs')
  const served = ['projectcalico.org/v3', 'crd.projectcalico.org/v1'].filter((it) => apis.includes(it))
  const sets = (valueOf(await kube.daemonSets()) ?? []).filter(({ role }) => role === 'calico-node')
  if (served.length === 0 && sets.length === 0) return leaveOut('Calico API', 'there is no Calico in this cluster')
  await take(
    'Calico API',
    async () => {
      if (served.length === 0)
        throw new Error(
          `calico-node runs (${sets.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}), but Calico's definitions are gone: neither projectcalico.org/v3 nor crd.projectcalico.org/v1 is served`,
        )
      const failure = failureOf(await kube.felixConfigurations(apis))
      if (failure && failure.kind !== 'denied') throw new Error(failure.message)
      return {
        detail: `${served.join(' and ')}${failure ? '; whether we may read it is the next question' : ''}`,
        value: true,
      }
    },
    served.includes('projectcalico.org/v3')
      ? `${kubectl} get apiservice v3.projectcalico.org -o yaml   # its conditions name what is missing; its pods are in calico-apiserver or calico-system`
      : `${kubectl} get crd felixconfigurations.crd.projectcalico.org   # gone: apply manifests/crds.yaml of the Calico version that runs`,
  )
}
