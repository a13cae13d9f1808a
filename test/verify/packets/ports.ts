export interface NodePortService {
  name: string
  nodePort: number
  policy: 'Cluster' | 'Local'
}

/** The API server's range here. */
export const range = '20000:32767'
/** Felix's own default, which lacks the first ten thousand. */
export const builtIn = '30000:32767'
/** Felix's range where it has too much: ports that no Service can have. */
export const wide = '10000:32767'
/** A process of the node listens here. Only the wide range has it. */
export const hostPort = 15_000

/** Pods serve here, TCP and UDP. */
export const podPort = 8080

/** One inside and one outside of Felix's default, each for both policies on where traffic may end. */
export const services = {
  inside: { name: 'inside', nodePort: 30080, policy: 'Cluster' },
  insideLocal: { name: 'inside-local', nodePort: 30081, policy: 'Local' },
  outside: { name: 'outside', nodePort: 20080, policy: 'Cluster' },
  outsideLocal: { name: 'outside-local', nodePort: 20081, policy: 'Local' },
} as const satisfies Record<string, NodePortService>
