import { counted } from '../counted.ts'
import type { Evidence, Report } from '../report.ts'

/** kube-proxy's nftables mode is GA with 1.33 and needs Linux 5.13; Felix programs nftables from 3.29 on. */
export const nftablesNeeds = { minor: 33, calico: '3.29', linux: '5.13' } as const

/**
 * What a cluster has of it: evidence of the finding IPVS_DEPRECATED. A report's picture takes its facts from here and not from the
 * message. The version of Kubernetes is always there, the others where they are too old.
 */
interface NftablesFacts {
  minor: number
  /** The oldest Calico. */
  oldCalico?: string | undefined
  /** `2 of 3 nodes` */
  oldKernels?: string | undefined
}

const kubernetes = { object: 'kube-apiserver', field: 'version' }
const calico = { object: 'calico-node', field: 'version' }
const kernels = { object: 'cluster', field: 'old kernels' }

export const nftablesEvidence = ({ minor, oldCalico, oldKernels }: NftablesFacts): Evidence[] => [
  { ...kubernetes, value: `1.${minor}` },
  ...(oldCalico === undefined ? [] : [{ ...calico, value: oldCalico }]),
  ...(oldKernels === undefined ? [] : [{ ...kernels, value: oldKernels }]),
]

export const kernelsOf = (old: number, all: number): string | undefined =>
  old === 0 ? undefined : `${old} of ${counted(all, 'node')}`

/** Absent where IPVS is not used, and where the version of Kubernetes is not known. */
export const nftablesFacts = ({ findings }: Pick<Report, 'findings'>): NftablesFacts | undefined => {
  const evidence = findings.find(({ code }) => code === 'IPVS_DEPRECATED')?.evidence ?? []
  const valueAt = ({ object, field }: typeof calico) =>
    evidence.find((it) => it.object === object && it.field === field)?.value
  const minor = Number(/^1\.(\d{1,3})$/.exec(valueAt(kubernetes) ?? '')?.[1])
  return Number.isNaN(minor) ? undefined : { minor, oldCalico: valueAt(calico), oldKernels: valueAt(kernels) }
}
