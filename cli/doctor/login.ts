import { X509Certificate } from 'node:crypto'
import type { FoundCluster } from '../../shared/clients/kubeconfig/load.ts'
import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import { kubectlOn, type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { HopFailure, type Walk } from './hop.ts'

type Login = Pick<KubeConnection, 'cert' | 'key' | 'token'>

/** How the hop is called: what gives the credential, and who it is. */
export const loginHop = ({ plugin }: FoundCluster): string => (plugin === undefined ? 'user' : 'credential plugin')

/** The user of the kubeconfig, apart from the way to the cluster: that is tried also where there is no credential. */
export const tryLogin = async (way: Walk, found: FoundCluster, place: ClusterAddress): Promise<Login | undefined> =>
  way.take(
    loginHop(found),
    async () => {
      const login = await found.login()
      const until = login.cert === undefined ? undefined : expiry(login.cert)
      if (until !== undefined && until.getTime() <= Date.now())
        throw new HopFailure(`the client certificate expired on ${until.toISOString()}`, renewal(place))
      return { detail: described(found, login, until), value: login }
    },
    found.plugin === undefined ? renewal(place) : pluginFix(found.plugin, place),
  )

const expiry = (cert: string): Date => new Date(new X509Certificate(cert).validTo)

const described = ({ plugin }: FoundCluster, { token, cert }: Login, until: Date | undefined): string => {
  const kinds = [...(token ? ['a token'] : []), ...(cert ? [`a certificate, good until ${until?.toISOString()}`] : [])]
  if (kinds.length === 0) return 'no credential: the API server will take us for nobody'
  return `${plugin === undefined ? 'has' : `${plugin} gave`} ${kinds.join(' and ')}`
}

const renewal = (place: ClusterAddress): string =>
  `${kubectlOn(place).replace(/^kubectl/, 'kubectl config view --raw --minify')} -o jsonpath='{.users[0].name}'   # the user whose credential is to be had anew from where it came; of kubeadm: kubeadm certs renew admin.conf`

/** Without its plugin a cluster of EKS's can be asked for by name: tokens are then made here. */
const pluginFix = (plugin: string, place: ClusterAddress): string => {
  const { name, region } = place.cluster
  const { profile, kubeconfig } = place.reachedBy ?? {}
  const program = plugin.split(/[\\/]/).at(-1) ?? plugin
  const there = `command -v ${quoted(plugin)}   # not there: install it, or put it into PATH; there: ${quoted(program)} tells what it needs`
  if (region === undefined) return there
  const past = `calico-ipvs-sync doctor --cluster ${quoted(name)} --region ${quoted(region)}   # needs no plugin`
  const whose = profile === undefined ? '' : `   # with AWS_PROFILE=${quoted(profile)}`
  return kubeconfig === undefined || profile === undefined ? `${there}\n${past}` : `${there}\n${past}${whose}`
}
