export interface Resource {
  Type: string
  Properties: Record<string, unknown>
}

/** A stack as CloudFormation gets it. */
export interface Synthesized {
  stackName: string
  resources: Record<string, Resource>
  outputs: number
  /** Of the template. */
  bytes: number
}

/** A limit of AWS that a configuration can hit, found before anything is deployed. */
export interface Limit {
  /** The quota by AWS's own name. */
  quota: string
  /** What is beyond it and what to do, a sentence for each. */
  faults: (stack: Synthesized) => string[]
}

export const ofType = ({ resources }: Synthesized, type: string): [id: string, properties: Record<string, unknown>][] =>
  Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []))

/** As its author called it: without the hash that the CDK adds. */
export const labelOf = (logicalId: string): string => logicalId.replace(/(?<=.)[0-9A-F]{8}$/, '')
