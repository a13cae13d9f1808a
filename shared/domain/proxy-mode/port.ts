/** kube-proxy's default if the address has no port. */
const usualPort = 10249

/**
 * The port of kube-proxy's `metricsBindAddress`, which serves `/proxyMode` too. Undefined if it is reachable only
 * from the node itself: on a loopback address, which is the default (k/k pkg/proxy/apis/config/v1alpha1/defaults.go).
 */
export function metricsPort(address: unknown): number | undefined {
  if (typeof address !== 'string' || address === '') return undefined
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([^:]*))(?::(\d{1,5}))?$/i.exec(address) ?? []
  // An IPv6 address without a port needs no brackets.
  const host = bracketed ?? plain ?? address
  if (/^(127\.|::1$|localhost$|::ffff:127\.)/i.test(host)) return undefined
  const port = Number(digits ?? usualPort)
  return port >= 1 && port <= 65_535 ? port : undefined
}
