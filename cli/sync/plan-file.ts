import type { Plan, Report } from '../../shared/domain/report.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { Failure } from '../failure.ts'
import { commandAbout, kindOf, kindText, newFile } from '../check/document-kind.ts'
import { readJson } from '../check/state-file.ts'

/** What `plan -o json` printed: the plan, and the report that it follows from. */
export const planFrom = async (file: string): Promise<Report & { plan: Plan }> => {
  const document = await readJson(file, 'a plan')
  const parsed = reportSchema.safeParse(document)
  if (parsed.success && parsed.data.plan) return { ...parsed.data, plan: parsed.data.plan }
  const kind = kindOf(document)
  if (kind !== undefined && kind !== 'plan')
    throw new Failure(
      `${file} is ${kindText(kind)}, not a plan file.`,
      `${commandAbout(document, `plan -o json --output-file ${newFile('plan')}`)}   # its output is a plan file`,
    )
  const [issue] = parsed.error?.issues ?? []
  const why = issue ? `${issue.path.join('.') || 'the whole'}: ${issue.message}` : 'it holds no plan'
  throw new Failure(
    `${file} is not a plan file: ${why}`,
    'calico-ipvs-sync plan --help   # with -o json its output is a plan file',
  )
}
