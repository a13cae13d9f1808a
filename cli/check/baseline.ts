import type { Report, Sweep } from '../../shared/domain/report.ts'
import { reportSchema, sweepSchema } from '../../shared/report/schema.ts'
import { UsageError } from '../failure.ts'
import { kindOf, kindText } from './document-kind.ts'
import { readJson } from './state-file.ts'

/** An earlier result of `check`, `plan` or `sweep -o json`. Throws a `UsageError` if the file is not such a result. */
export const baselineFrom = async (file: string): Promise<Report | Sweep> => {
  const value = await readJson(file, 'an earlier result')
  const [report, sweep] = [reportSchema.safeParse(value), sweepSchema.safeParse(value)]
  if (report.success) return report.data
  if (sweep.success) return sweep.data
  const kind = kindOf(value)
  const what = kind === undefined ? 'not' : `${kindText(kind)}, not`
  throw new UsageError(`--baseline ${file} is ${what} a result of check, plan or sweep with -o json.`)
}
