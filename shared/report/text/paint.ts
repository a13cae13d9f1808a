import type { Severity, Verdict } from '../../domain/report.ts'

/** Terminal colours, or none at all: what is painted has been made `plain` before. */
export interface Paint {
  bold: (text: string) => string
  dim: (text: string) => string
  verdict: (verdict: Verdict, text: string) => string
  severity: (severity: Severity, text: string) => string
}

const sgr = (code: string) => (text: string) => (text === '' ? '' : `\u001b[${code}m${text}\u001b[0m`)

// The sixteen basic colours only: they follow the reader's own theme, light or dark.
const verdictCodes: Record<Verdict, string> = {
  'in-step': '32',
  'out-of-step': '1;31',
  changing: '33',
  'not-applicable': '2',
  unknown: '1;35',
}
const severityCodes: Record<Severity, string> = { critical: '1;31', warning: '33', info: '36' }

const same = (text: string): string => text

export const paint = (colour: boolean): Paint =>
  colour
    ? {
        bold: sgr('1'),
        dim: sgr('2'),
        verdict: (verdict, text) => sgr(verdictCodes[verdict])(text),
        severity: (severity, text) => sgr(severityCodes[severity])(text),
      }
    : { bold: same, dim: same, verdict: (_, text) => text, severity: (_, text) => text }
