import { safeJson } from '../domain/plain.ts'
import type { Report, Sweep } from '../domain/report.ts'

export const json = (document: Report | Sweep): string => `${safeJson(document, 2)}\n`
