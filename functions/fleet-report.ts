import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import * as z from 'zod/mini'
import { fleetRecords } from '../shared/clients/aws/fleet-records.ts'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { placeRows } from '../shared/clients/aws/places.ts'
import { reportsBucket } from '../shared/clients/aws/reports-bucket.ts'
import { compressing } from '../shared/clients/compressing.ts'
import { lambda } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { fleetReportSettings } from '../shared/report-settings.ts'
import { countOnRecord, writeFleetReport } from '../shared/workflows/fleet/fleet-report.ts'

/** An upload of some megabytes takes longer than other calls. */
const uploadMs = 14_000
const uploads = { ...limited, requestHandler: { ...limited.requestHandler, requestTimeout: uploadMs } }

const settings = readSettings(fleetReportSettings, process.env)
const dynamo = bounded(new DynamoDBClient(limited))
const tools = {
  records: fleetRecords(dynamo, settings.RECORDS_TABLE),
  places: () => placeRows(dynamo, settings.RECORDS_TABLE),
  bucket: reportsBucket(bounded(new S3Client(uploads), uploadMs), settings.REPORTS_BUCKET),
  compressing,
  now: () => new Date(),
}

/** The input of the schedules. `at`: the scheduled time; a later retry still writes the report of that day. */
const order = z.union([
  z.object({ what: z.literal('count') }),
  z.object({ what: z.literal('report'), at: z.iso.datetime({ offset: true }) }),
])

/** The schedules: metrics of the fleet every hour and a report once a day, from the records. */
export const handler = lambda('fleet-report', (event: unknown, log) => {
  const it = order.parse(event)
  return it.what === 'count' ? countOnRecord({ ...tools, log }) : writeFleetReport({ ...tools, log }, new Date(it.at))
})
