import { plain, plainLines } from '../../shared/domain/plain.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import type { DoctorOptions } from '../options.ts'
import { wantsColour } from '../streams.ts'
import type { Hop } from './hop.ts'

export const asText = (
  { cluster, ok, hops }: { cluster: ClusterIdentity; ok: boolean; hops: Hop[] },
  { color }: DoctorOptions,
): string => {
  const coloured = wantsColour(process.stdout, color)
  const paint = (code: number, text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  const marks: Record<Hop['state'], string> = {
    ok: paint(32, 'ok       '),
    failed: paint(31, 'FAILED   '),
    'left out': 'left out ',
    'not tried': 'not tried',
  }
  const width = Math.min(44, Math.max(...hops.map(({ hop }) => hop.length)))
  const lines = hops.flatMap(({ hop, state, detail, fix }) => [
    `${marks[state]}  ${plain(hop).padEnd(width)}  ${plain(detail)}`,
    ...(fix === undefined
      ? []
      : plainLines(fix).map((line, at) => `           ${at === 0 ? 'to fix it: ' : '           '}${line}`)),
  ])
  const failed = hops.filter(({ state }) => state === 'failed').length
  const end = ok ? 'Everything that is needed works.' : `${failed} of ${hops.length} hops failed.`
  return `${plain(cluster.name)}\n${lines.join('\n')}\n${end}\n`
}
