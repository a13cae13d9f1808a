/** Reads fields of an event as untrusted input. */
export type Fields = Record<string, unknown>

export const record = (it: unknown): Fields =>
  typeof it === 'object' && it !== null && !Array.isArray(it) ? (it as Fields) : {}
export const text = (it: unknown): string | undefined => (typeof it === 'string' && it !== '' ? it : undefined)
/** The maximum for one event. */
export const items = (it: unknown): unknown[] => (Array.isArray(it) ? it.slice(0, 200) : [])

/** CloudTrail logs parameters of the path percent-encoded, those of the body plain. */
export const decoded = (it: unknown): string | undefined => {
  const raw = text(it)
  try {
    return raw && decodeURIComponent(raw)
  } catch {
    return raw
  }
}

export interface EksArn {
  region: string
  account: string
  cluster: string
}

const shape =
  /^arn:[\w-]+:eks:([\w-]+):(\d{12}):(?:cluster|addon|nodegroup|fargateprofile|access-entry)\/([0-9A-Za-z][\w-]{0,99})(?:\/|$)/

/** `arn:aws:eks:eu-west-1:111122223333:cluster/prod-1`, `…:addon/prod-1/kube-proxy/1a2b…` */
export const eksArn = (arn: string | undefined): EksArn | undefined => {
  const [, region, account, cluster] = shape.exec(arn ?? '') ?? []
  return region && account && cluster ? { region, account, cluster } : undefined
}

/** Every EKS ARN in a value, up to a maximum depth. */
export const arnsWithin = (value: unknown, depth = 5): string[] => {
  if (typeof value === 'string') return eksArn(value) ? [value] : []
  if (depth === 0 || typeof value !== 'object' || value === null) return []
  return Object.values(value)
    .slice(0, 100)
    .flatMap((it) => arnsWithin(it, depth - 1))
    .slice(0, 100)
}
