import type { Report, Sweep } from '../../shared/domain/report.ts'
import type { Format, OutputOptions } from '../options.ts'
import { printed, wantsColour, widthOf } from '../streams.ts'
import type { CommandOn } from '../../shared/report/text/closing.ts'

/**
 * Prints the result to standard output or a file, in the requested format. `on` completes a command for the cluster.
 */
export const print = async (document: Report | Sweep, options: OutputOptions, on?: CommandOn): Promise<void> => {
  await printed(await rendered(document, options, on), options)
}

const rendered = async (document: Report | Sweep, options: OutputOptions, on?: CommandOn): Promise<string> => {
  if (options.output === 'text') return asText(document, process.stdout, options, on)
  const render = await renderers[options.output]()
  return render(document)
}

/** The text format, with the colours and width of the stream. */
export const asText = async (
  document: Report | Sweep,
  stream: NodeJS.WriteStream,
  options: OutputOptions,
  on?: CommandOn,
): Promise<string> => {
  const { text } = await import('../../shared/report/text/report.ts')
  const { verbose = false, outputFile } = options
  const columns = widthOf(stream, outputFile)
  const colour = wantsColour(stream, options)
  return text(document, { colour, ...(columns !== undefined && { columns }), verbose, ...(on && { on }) })
}

type Render = (document: Report | Sweep) => string

// A format is loaded only when it is requested.
const renderers: Record<Exclude<Format, 'text'>, () => Promise<Render>> = {
  json: async () => (await import('../../shared/report/json.ts')).json,
  junit: async () => (await import('../../shared/report/junit.ts')).junit,
  sarif: async () => (await import('../../shared/report/sarif.ts')).sarif,
  csv: async () => (await import('../../shared/report/csv.ts')).csv,
  prometheus: async () => (await import('../../shared/report/prometheus.ts')).prometheus,
  html: async () => (await import('../../shared/report/html/report.ts')).html,
}
