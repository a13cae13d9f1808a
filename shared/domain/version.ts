/** A version of open-source Calico. Calico Enterprise has its own version numbers, which are not supported. */
export interface CalicoVersion {
  major: number
  minor: number
  patch: number
  /** `v3.28.4` */
  text: string
}

const form = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

/** `v3.28.4`, `3.28.4`, `v3.28.4-eks-1`; undefined for anything that is not Calico 2 or 3 (`master`, `latest`, Enterprise's `release-calient-…`). */
export function parseVersion(text: string | undefined): CalicoVersion | undefined {
  const found = form.exec(text?.trim() ?? '')
  if (!found) return undefined
  const [major, minor, patch] = [Number(found[1]), Number(found[2]), Number(found[3])]
  return major === 2 || major === 3 ? { major, minor, patch, text: `v${major}.${minor}.${patch}` } : undefined
}

/**
 * The version in the tag of a calico-node image. Undefined for a digest without a tag, for tags that are not
 * versions, and for repositories that do not contain open-source Calico (`cnx-node`, `tigera/…`).
 */
export function versionOfImage(image: string): CalicoVersion | undefined {
  const [reference = ''] = image.split('@')
  const parts = /^(.+?):([^:/]+)$/.exec(reference)
  if (!parts || isEnterprise(parts[1] ?? '')) return undefined
  // Calico's own tags begin with a v; a `3.2.1` of another repository is another version scheme.
  return parts[2]?.startsWith('v') ? parseVersion(parts[2]) : undefined
}

const isEnterprise = (repository: string): boolean => /(^|\/)(tigera\/|cnx-)/.test(repository)

/** `atLeast(v, '3.23')`, `atLeast(v, '3.28.4')`. */
export function atLeast(version: CalicoVersion, wanted: string): boolean {
  const [major = 0, minor = 0, patch = 0] = wanted.split('.').map(Number)
  if (version.major !== major) return version.major > major
  if (version.minor !== minor) return version.minor > minor
  return version.patch >= patch
}

/**
 * Whether `spec.kubeNodePortRanges` may be written. Up to v1.27.16 and v1.28.7 (Calico 3.24) the operator cannot read
 * any value of it and crashes (projectcalico/calico#6508, tigera/operator b1467e28); from Calico 3.25 on it can. If
 * the installer or the version is not known, the field is not written: only the annotation is needed.
 */
export const specMayBeWritten = (install: string | undefined, version: CalicoVersion | undefined): boolean =>
  install === 'manifest' || (install === 'operator' && version !== undefined && atLeast(version, '3.25'))
