import type { EksAccess, EksPlace, Principal } from '../../shared/clients/aws/eks-access.ts'
import type { EksHint } from '../../shared/clients/kubeconfig/eks.ts'
import { proxyFor } from '../../shared/clients/proxy.ts'
import { sdkOptions } from './sdk-options.ts'

let access: Promise<(place: EksPlace) => EksAccess> | undefined

/** One account and region of the EKS API; loaded when first needed; all clusters share its credentials and tokens. */
export const eksIn = async (place: EksPlace): Promise<EksAccess> => {
  access ??= Promise.all([import('../../shared/clients/aws/eks-access.ts'), sdkOptions()]).then(
    ([{ eksAccess }, sdk]) => eksAccess({ sdk, proxyOf: (server) => proxyFor(server, process.env) }),
  )
  return (await access)(place)
}

/**
 * The credentials of a kubeconfig's plugin; `undefined`: those of the environment. If a profile is set, only the
 * profile is used, not the rest of the default chain, which may belong to another account.
 */
export const principalOf = async (hint: EksHint): Promise<Principal | undefined> => {
  const { keys, region, files } = hint
  const profile = hint.profile ?? (files && !keys ? 'default' : undefined)
  if (profile !== undefined) {
    const { fromIni } = await import('@aws-sdk/credential-providers')
    const clientConfig = { ...(await sdkOptions()), ...(region !== undefined && { region }) }
    const credentials = fromIni({ profile, ...files, clientConfig })
    return { id: JSON.stringify(['profile', profile, files]), profile, credentials }
  }
  return keys && { id: `key ${keys.accessKeyId}`, credentials: async () => keys }
}
