import * as z from 'zod/mini'

export const fleetReportSettings = z.object({ RECORDS_TABLE: z.string(), REPORTS_BUCKET: z.string() })

export const configRuleSettings = z.object({ RECORDS_TABLE: z.string() })
