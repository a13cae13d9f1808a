import type { Context } from './context.ts'
import { isRecord, type KubeObject, listAt, recordAt, textAt } from './object.ts'
import type { Play } from './pod-status.ts'
import type { Pod } from './workloads.ts'

/** On a pod, how long it takes to become ready, as a Go duration. */
export const readyDelayAnnotation = 'lab/ready-delay'

/**
 * How the pod is to be played: as the heaviest of the KWOK `Stage` objects that select it says. Their templates are not
 * rendered here; what they do to a pod is told by the container state they write.
 */
export function playOf(context: Context, pod: Pod): Play {
  const stages = stagesOf(context).filter((stage) => selects(stage, pod))
  const heaviest = stages.toSorted((a, b) => weightOf(b) - weightOf(a))[0]
  const template =
    textAt(heaviest, 'spec', 'next', 'statusTemplate') ?? JSON.stringify(recordAt(heaviest, 'spec', 'next'))
  if (/CrashLoopBackOff/.test(template)) return 'crashing'
  return /ready"?:\s*false/.test(template) ? 'unready' : 'ready'
}

function stagesOf({ registry, store }: Context): KubeObject[] {
  const resource = registry.byKind('kwok.x-k8s.io', 'Stage')
  return resource === undefined ? [] : (store.list(resource) ?? []).map(([, stage]) => stage)
}

const weightOf = (stage: KubeObject): number => {
  const { weight } = recordAt(stage, 'spec')
  return typeof weight === 'number' ? weight : 0
}

/** Stages for other kinds, and those for pods that already run or go, do not start a pod. */
function selects(stage: KubeObject, pod: Pod): boolean {
  if (textAt(stage, 'spec', 'resourceRef', 'kind') !== 'Pod') return false
  const selector = recordAt(stage, 'spec', 'selector')
  const labels = Object.entries(recordAt(selector, 'matchLabels'))
  if (!labels.every(([key, value]) => pod.metadata.labels?.[key] === value)) return false
  const annotations = Object.entries(recordAt(selector, 'matchAnnotations'))
  if (!annotations.every(([key, value]) => pod.metadata.annotations?.[key] === value)) return false
  return listAt(selector, 'matchExpressions').every((expression) => holds(expression, pod))
}

function holds(expression: unknown, pod: Pod): boolean {
  const key = textAt(expression, 'key') ?? textAt(expression, 'jq', 'expression') ?? ''
  const rule = isRecord(expression) && isRecord(expression['jq']) ? expression['jq'] : expression
  const value = valueAt(pod, key)
  const values = listAt(rule, 'values')
  switch (textAt(rule, 'operator')) {
    case 'In':
      return values.includes(value)
    case 'NotIn':
      return !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}

/** A path such as `.metadata.annotations["a/b"]`, the only form of jq that stages of the lab use. */
function valueAt(pod: Pod, path: string): unknown {
  const steps = [...path.matchAll(/\.([A-Za-z0-9_]+)|\["([^"]+)"\]/g)].map(([, plain, quoted]) => plain ?? quoted ?? '')
  let current: unknown = pod
  for (const step of steps) current = isRecord(current) ? current[step] : undefined
  return current
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a Go duration; 0 where there is none. */
export function durationOf(text: string | undefined): number {
  const parts = [...(text ?? '').matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0)
}
