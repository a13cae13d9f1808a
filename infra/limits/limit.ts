export interface Resource {
  Type: string
  Properties: Record<string, unknown>
}

/** A synthesized stack. */
export interface Synthesized {
  stackName: string
  resources: Record<string, Resource>
  outputs: number
  /** The template. */
  bytes: number
}

/** A limit of AWS that a configuration can hit, found before anything is deployed. */
export interface Limit {
  /** The quota by AWS's own name. */
  quota: string
  /** One sentence for each violation, with its fix. */
  faults: (stack: Synthesized) => string[]
}

export const ofType = ({ resources }: Synthesized, type: string): [id: string, properties: Record<string, unknown>][] =>
  Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []))

/** The logical id without the hash that the CDK adds. */
export const labelOf = (logicalId: string): string => logicalId.replace(/(?<=.)[0-9A-F]{8}$/, '')
