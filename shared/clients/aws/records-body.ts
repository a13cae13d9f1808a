import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { safeJson } from '../../domain/plain.ts'
import type { Report } from '../../domain/report.ts'

/** The maximum size of an item is 400 kB, including names. */
const plainAtMost = 300_000
const packedAtMost = 380_000

/**
 * A report as attributes of an item: text if it fits, else compressed. If a report of thousands of nodes still does
 * not fit, its last nodes are left out (the most severe come first), with their number (`nodesLeftOut`).
 */
export function packed(report: Report): Record<string, AttributeValue> {
  const text = safeJson(report)
  if (Buffer.byteLength(text) <= plainAtMost) return { report: { S: text } }
  for (let kept = report.nodes.length; ; kept = Math.floor(kept / 2)) {
    const body = compressed(JSON.stringify({ ...report, nodes: report.nodes.slice(0, kept) }))
    const leftOut = report.nodes.length - kept
    if (body.length <= packedAtMost)
      return { packed: { B: body }, ...(leftOut > 0 && { nodesLeftOut: { N: String(leftOut) } }) }
    if (kept === 0)
      throw new Error(
        `The report of ${report.cluster.name} is too large to store: ${body.length} bytes without its nodes.`,
      )
  }
}

/** The best compression takes a second for each megabyte, so it would take a minute for an extremely large report. */
const thoroughAtMost = 2 ** 20

const compressed = (text: string): Buffer => {
  const quality = text.length <= thoroughAtMost ? constants.BROTLI_MAX_QUALITY : 8
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } })
}

export function unpacked(item: Record<string, AttributeValue> | undefined): Report | undefined {
  const text = item?.['report']?.S ?? (item?.['packed']?.B && brotliDecompressSync(item['packed'].B).toString('utf8'))
  if (text === undefined) return undefined
  // Written by `packed` alone.
  const report: Report = JSON.parse(text)
  return report
}
