import type { DaemonSetState } from '../../domain/cluster.ts'
import { configuredBy } from '../../domain/proxy-mode/configured.ts'

interface ConfigMapName {
  namespace: string
  name: string
}

/** The relevant ConfigMaps: kube-proxy's configuration, and those that calico-node's environment refers to. */
export function configMapsToRead(daemonSets: readonly DaemonSetState[]): ConfigMapName[] {
  const named = daemonSets.flatMap((daemonSet) =>
    namesIn(daemonSet).map((name) => ({ namespace: daemonSet.namespace, name })),
  )
  return [...new Map(named.map((it) => [`${it.namespace}/${it.name}`, it])).values()]
}

function namesIn({ role, template }: DaemonSetState): string[] {
  // Only the one with the file of `--config`: EKS mounts the kubeconfig from another.
  if (role === 'kube-proxy') return [configuredBy({ template })?.configMap ?? []].flat()
  return role === 'calico-node' ? [...wholly(template), ...referredTo(template)] : []
}

const wholly = ({ envFrom }: DaemonSetState['template']): string[] =>
  envFrom.flatMap((source) => ('configMap' in source ? [source.configMap] : []))

/** Manifests take MTUs and Typha's address from a ConfigMap too; these are not needed and cause no request. */
const decides =
  /^(felix_(kubenodeportranges|(ip|nf)tables\w+|bpfenabled|interface(exclude|prefix)|wireguardenabled(v6)?|defaultendpointtohostaction|useinternaldataplanedriver)|calico_(disable_felix|api_group))$/i

const referredTo = ({ env }: DaemonSetState['template']): string[] =>
  env.flatMap(({ name, from }) => (from && 'configMap' in from && decides.test(name) ? [from.configMap] : []))
