import type { Report, Sweep } from '../domain/report.ts'

// JSON escapes C0 only; the rest of what moves a terminal or reverses text is escaped here, and reads back the same.
const risky = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

export const json = (document: Report | Sweep): string =>
  `${JSON.stringify(document, null, 2).replace(risky, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
