const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970 of a moment as Kubernetes writes it (RFC 3339); NaN: it is none, whatever `Date` would make of it. */
export const milliseconds = (text: string): number => (shape.test(text) ? Date.parse(text) : Number.NaN)
