import type { ClusterCheck } from '../findings.ts'
import type { ReadFailure } from '../read.ts'
import type { Finding } from '../report.ts'

const refused = (it: ReadFailure): boolean => it.kind === 'denied' || it.kind === 'unauthenticated'

/** What could not be read, one finding for refusals and one for everything else. */
export const unread: ClusterCheck = ({ gaps, state, otherThanEks }) => {
  // Nothing was read on purpose, and that is a finding of its own.
  if (otherThanEks.length > 0 && state.identity?.connected.endpoint === undefined) return []
  const all = [...gaps.needed, ...gaps.wanted]
  const isNeeded = gaps.needed.length > 0
  return [
    ...gap(
      'UNREACHABLE',
      all.filter((it) => !refused(it)),
      isNeeded,
    ),
    ...gap('ACCESS_DENIED', all.filter(refused), isNeeded),
  ]
}

function gap(code: 'UNREACHABLE' | 'ACCESS_DENIED', failures: readonly ReadFailure[], isNeeded: boolean): Finding[] {
  const [first] = failures
  if (!first) return []
  const objects = failures.map(({ object }) => object).join(', ')
  const verb = code === 'UNREACHABLE' ? 'got no usable answer for' : 'was not allowed to read'
  const meaning = isNeeded
    ? 'so it cannot be told whether Calico is in step'
    : objects.includes('DescribeCluster')
      ? 'so the service range is the one that was given, or assumed, and nothing is written'
      : 'the verdict stands without it, but nothing is written'
  return [
    {
      code,
      severity: isNeeded ? 'warning' : 'info',
      subject: 'cluster',
      message: `The tool ${verb} ${objects}, ${meaning}. ${first.message}`,
      evidence: failures.map(({ object, status, message }) => ({
        object,
        field: status === undefined ? 'answer' : `HTTP ${status}`,
        value: message,
      })),
      remedy: 'calico-ipvs-sync doctor names the hop that fails and what to paste to mend it.',
    },
  ]
}
