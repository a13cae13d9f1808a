/**
 * The result of a read: its value, or why there is none. Code that uses the value must handle the failure, so that
 * "could not read" is never treated as "does not exist". Plain data: a captured state contains it as JSON.
 */
export type Read<T> = { value: T } | { failure: ReadFailure }

export interface ReadFailure {
  /**
   * `unreachable`: no answer (DNS, TCP, TLS, timeout) · `unauthenticated`: 401 · `denied`: 403 · `unavailable`: 429,
   * 5xx, aggregated API down · `malformed`: an answer that cannot be parsed or is far too large.
   */
  kind: 'unreachable' | 'unauthenticated' | 'denied' | 'unavailable' | 'malformed'
  /** What was read: `FelixConfigurations`, `ConfigMap/kube-system/kube-proxy-config`, `eks:DescribeCluster` */
  object: string
  /** The error in one line, without secrets. */
  message: string
  /** HTTP status, where there was one. */
  status?: number
  /** The time after which the server allows a retry. */
  retryAfterSeconds?: number
}

export const read = <T>(value: T): Read<T> => ({ value })
export const failed = <T>(failure: ReadFailure): Read<T> => ({ failure })
export const valueOf = <T>(it: Read<T> | undefined): T | undefined => (it && 'value' in it ? it.value : undefined)
export const failureOf = (it: Read<unknown> | undefined): ReadFailure | undefined =>
  it && 'failure' in it ? it.failure : undefined
