import type { NodePortUse } from '../cluster.ts'
import type { Evidence } from '../report.ts'

/** A node port in use, as evidence. */
export const portUse = ({ service, field, port }: NodePortUse): Evidence => ({
  object: `Service/${service}`,
  field: field === 'nodePort' ? 'spec.ports[].nodePort' : 'spec.healthCheckNodePort',
  value: `${port}`,
})
