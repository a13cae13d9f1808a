const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/**
 * Parses a time as Kubernetes writes it (RFC 3339) to milliseconds since 1970; NaN for anything else, even if `Date`
 * would accept it.
 */
export const milliseconds = (text: string): number => (shape.test(text) ? Date.parse(text) : Number.NaN)
