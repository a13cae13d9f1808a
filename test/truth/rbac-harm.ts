import type { Report } from '../../shared/domain/report.ts'

/** What of a report a missing right could spoil. */
export interface ReportExcerpt {
  verdict: Report['verdict']
  version?: string
  codes: string[]
  nodes: { mode: string; confidence: string }[]
}

export const excerptOf = ({ verdict, calico, findings, nodes }: Report): ReportExcerpt => ({
  verdict,
  ...(calico?.version !== undefined && { version: calico.version }),
  codes: findings.map(({ code }) => code),
  nodes: nodes.map(({ runningMode: mode, confidence }) => ({ mode, confidence })),
})

/** `denied`: the finding says what may not be read · `doubt`: the verdict or a mode is not known any more · `version`: Calico's is not. */
export type Harm = 'denied' | 'doubt' | 'version'

export function harms(before: ReportExcerpt, after: ReportExcerpt): Harm[] {
  const blind = after.nodes.filter(({ mode }) => mode === 'unknown').length
  const blindBefore = before.nodes.filter(({ mode }) => mode === 'unknown').length
  const doubt = (after.verdict === 'unknown' && before.verdict !== 'unknown') || blind > blindBefore
  return [
    ...(after.codes.includes('ACCESS_DENIED') ? (['denied'] as const) : []),
    ...(doubt ? (['doubt'] as const) : []),
    ...(before.version !== undefined && after.version === undefined ? (['version'] as const) : []),
  ]
}
