import type { Flaw } from '../../shared/clients/kubeconfig/load.ts'
import { updateKubeconfig } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { Walk } from './hop.ts'
import { unusableProxyFix } from './proxy.ts'
import { configCommand, type InKubeconfig } from './config-command.ts'

const hopOf: Record<Flaw['part'], string> = {
  authority: 'certificate authority',
  proxy: 'proxy',
  impersonation: 'acting as',
}

/** A hop for each part of the kubeconfig that cannot be used: those that need it are not tried. */
export const tellFlaws = async ({ take }: Walk, flaws: readonly Flaw[], at: InKubeconfig & { host: string }) => {
  for (const { part, error } of flaws) await take(hopOf[part], () => Promise.reject(error), fixOf({ part, error }, at))
}

const fixOf = ({ part, error }: Flaw, at: InKubeconfig & { host: string }): string => {
  switch (part) {
    case 'authority':
      return authorityFix(at)
    case 'proxy':
      return error.cause.proxy ? unusableProxyFix(error.cause.proxy, at) : configCommand(at.place, 'view --minify')
    case 'impersonation':
      return `${configCommand(at.place, 'view --minify')}   # its users: name the user to act as (as) beside the groups, or remove both`
  }
}

const authorityFix = ({ place, named = 'CLUSTER' }: InKubeconfig): string =>
  place.cluster.region === undefined
    ? `${configCommand(place, `set-cluster ${quoted(named)} --certificate-authority=CA.pem --embed-certs=true`)}   # CA.pem: the cluster's authority, of kubeadm /etc/kubernetes/pki/ca.crt`
    : `${updateKubeconfig(place)}   # writes the authority as EKS has it`
