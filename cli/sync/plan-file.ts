import type { Plan, Report } from '../../shared/domain/report.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { Failure } from '../failure.ts'
import { readJson } from '../check/state-file.ts'

/** What `plan -o json` printed: the plan, and the report that it follows from. */
export const planFrom = async (file: string): Promise<Report & { plan: Plan }> => {
  const parsed = reportSchema.safeParse(await readJson(file, 'a plan'))
  if (parsed.success && parsed.data.plan) return { ...parsed.data, plan: parsed.data.plan }
  const [issue] = parsed.error?.issues ?? []
  const why = issue ? `${issue.path.join('.') || 'the whole'}: ${issue.message}` : 'it holds no plan'
  throw new Failure(
    `${file} is not a plan file: ${why}`,
    'calico-ipvs-sync plan --help   # with -o json its output is a plan file',
  )
}
