import { X509Certificate } from 'node:crypto'
import type { FoundCluster } from '../../shared/clients/kubeconfig/load.ts'
import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import { kubectlOn, type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { isKubeconfigError } from '../target/connect.ts'
import { loginFix } from '../target/login-fix.ts'
import { HopFailure, type Walk } from './hop.ts'

type Login = Pick<KubeConnection, 'cert' | 'key' | 'token'>

/** How the hop is called: what gives the credential, and who it is. */
export const loginHop = ({ plugin }: FoundCluster): string => (plugin === undefined ? 'user' : 'credential plugin')

/** The user of the kubeconfig, apart from the way to the cluster: that is tried also where there is no credential. */
export const tryLogin = async (way: Walk, found: FoundCluster, place: ClusterAddress): Promise<Login | undefined> =>
  way.take(
    loginHop(found),
    async () => {
      try {
        return await loggedIn(found, place)
      } catch (error) {
        if (!isKubeconfigError(error)) throw error
        const { file, ended } = error.cause
        throw new HopFailure(
          error.message,
          file !== undefined ? fileFix(file) : found.plugin ? pluginFix(found.plugin, ended, place) : renewal(place),
        )
      }
    },
    renewal(place),
  )

const loggedIn = async (found: FoundCluster, place: ClusterAddress): Promise<{ detail: string; value: Login }> => {
  const login = await found.login()
  const until = login.cert === undefined ? undefined : expiry(login.cert)
  if (until !== undefined && until.getTime() <= Date.now())
    throw new HopFailure(`the client certificate expired on ${until.toISOString()}`, renewal(place))
  // A token file is read only now.
  if ((await login.token?.({ fresh: false })) === '') throw new HopFailure('its token is empty', renewal(place))
  return { detail: described(found, login, until), value: login }
}

const expiry = (cert: string): Date => new Date(new X509Certificate(cert).validTo)

const described = ({ plugin }: FoundCluster, { token, cert }: Login, until: Date | undefined): string => {
  const kinds = [...(token ? ['a token'] : []), ...(cert ? [`a certificate, good until ${until?.toISOString()}`] : [])]
  if (kinds.length === 0) return 'no credential: the API server will take us for nobody'
  return `${plugin === undefined ? 'has' : `${plugin.command} gave`} ${kinds.join(' and ')}`
}

const renewal = (place: ClusterAddress): string =>
  `${kubectlOn(place).replace(/^kubectl/, 'kubectl config view --raw --minify')} -o jsonpath='{.users[0].name}'   # the user whose credential is to be had anew from where it came; of kubeadm: kubeadm certs renew admin.conf`

const fileFix = (file: string): string =>
  `ls -l ${quoted(file)}   # the kubeconfig names this file: put it there, readable for you, or name another one`

/** Of the AWS CLI: it lacks credentials or configuration. https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html */
const withoutCredentials = 253

const pluginFix = (
  { command, isOfAws }: NonNullable<FoundCluster['plugin']>,
  ended: number | 'not there' | undefined,
  place: ClusterAddress,
): string => {
  const { profile } = place.reachedBy ?? {}
  if (ended === 'not there') return missingFix(command, place)
  if (!isOfAws)
    return `${kubectlOn(place)} auth whoami   # kubectl runs the same plugin, ${quoted(command)}: what it asks for stands above`
  if (ended === withoutCredentials) return loginFix(profile)
  const whose = profile === undefined ? '' : ` --profile ${quoted(profile)}`
  return `aws sts get-caller-identity${whose}   # whose credentials the plugin has; if this fails too:\n${loginFix(profile)}`
}

/** Without its plugin a cluster of EKS's can be asked for by name: tokens are then made here. */
const missingFix = (command: string, place: ClusterAddress): string => {
  const { name, region } = place.cluster
  const { profile, kubeconfig } = place.reachedBy ?? {}
  const there = `command -v ${quoted(command)}   # is it installed, and in PATH?`
  if (region === undefined) return there
  const past = `calico-ipvs-sync doctor --cluster ${quoted(name)} --region ${quoted(region)}   # needs no plugin`
  const whose = profile === undefined ? '' : `   # with AWS_PROFILE=${quoted(profile)}`
  return kubeconfig === undefined || profile === undefined ? `${there}\n${past}` : `${there}\n${past}${whose}`
}
