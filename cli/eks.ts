import type { EksAccess, EksPlace } from '../shared/clients/eks-access.ts'

let access: Promise<(place: EksPlace) => EksAccess> | undefined

/** One account and region of the EKS API; loaded when first needed, its credentials and tokens shared by all clusters. */
export const eksIn = async (place: EksPlace): Promise<EksAccess> => {
  access ??= import('../shared/clients/eks-access.ts').then(({ eksAccess }) => eksAccess())
  return (await access)(place)
}
