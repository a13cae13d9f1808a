import type { PortSpan } from '../cluster.ts'
import type { ResourceRegistry } from './resources.ts'
import type { Store } from './store.ts'

/** One cluster's state and what its parts agree on. */
export interface Context {
  store: Store
  registry: ResourceRegistry
  nodePortRange: PortSpan
  kubernetesVersion: string
  now: () => Date
}

/** What a request says about how to write. */
export interface WriteOptions {
  manager: string
  dryRun: boolean
  /** What becomes of fields no schema names. */
  fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  subresource?: string
  /** Collects what the answer tells in `Warning` headers. */
  warnings: string[]
}

/** The server's own hand: controllers and start-up. */
export const internalWrite = (manager: string, subresource?: string): WriteOptions => ({
  manager,
  dryRun: false,
  fieldValidation: 'Ignore',
  warnings: [],
  ...(subresource === undefined ? {} : { subresource }),
})
