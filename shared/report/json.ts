import { safeJson } from '../domain/plain.ts'
import type { History } from '../domain/history/history.ts'
import type { Report, Sweep } from '../domain/report.ts'

export const json = (document: Report | Sweep | History): string => `${safeJson(document, 2)}\n`
