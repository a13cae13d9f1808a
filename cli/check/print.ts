import type { Report, Sweep } from '../../shared/domain/report.ts'
import type { Format, OutputOptions } from '../options.ts'
import { wantsColour, write } from '../streams.ts'

/** The result, on standard output, in the form asked for. */
export const print = async (document: Report | Sweep, options: OutputOptions): Promise<void> =>
  write(process.stdout, await rendered(document, options))

const rendered = async (document: Report | Sweep, { output, color }: OutputOptions): Promise<string> => {
  if (output === 'text') return asText(document, process.stdout, color)
  const render = await renderers[output]()
  return render(document)
}

/** As people see it on that stream: its colours, its width. */
export const asText = async (document: Report | Sweep, stream: NodeJS.WriteStream, color: boolean): Promise<string> => {
  const { text } = await import('../../shared/report/text/report.ts')
  // A terminal that does not tell its width says 0.
  const columns = stream.isTTY && stream.columns > 0 ? { columns: stream.columns } : {}
  return text(document, { colour: wantsColour(stream, color), ...columns })
}

type Render = (document: Report | Sweep) => string

// Each loaded only when it is the one asked for.
const renderers: Record<Exclude<Format, 'text'>, () => Promise<Render>> = {
  json: async () => (await import('../../shared/report/json.ts')).json,
  junit: async () => (await import('../../shared/report/junit.ts')).junit,
  sarif: async () => (await import('../../shared/report/sarif.ts')).sarif,
  csv: async () => (await import('../../shared/report/csv.ts')).csv,
  html: async () => (await import('../../shared/report/html/report.ts')).html,
}
