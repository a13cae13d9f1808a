import { felixParameters } from './layer.ts'
import type { DerivedValues, FelixPartly, FelixResolution, FelixValues, FelixWarning } from './values.ts'

type Values = FelixValues & DerivedValues
type Resolved = Exclude<FelixResolution, { outcome: 'error' }>

/**
 * The values on which all versions of Calico agree, for a cluster whose version is not known. Oldest first, at least
 * one.
 */
export function mergeVersions(answers: readonly FelixResolution[]): FelixResolution {
  const resolved = answers.filter((answer): answer is Resolved => answer.outcome !== 'error')
  const [first] = answers
  if (resolved.length === 0 && first) return first
  if (resolved.length < answers.length) return nothingCertain(resolved.at(-1)?.warnings ?? [])
  return agreement(resolved)
}

const versionWarning = (message: string): FelixWarning => ({
  kind: 'unknown',
  source: 'default',
  object: 'calico-node',
  decides: true,
  message,
})

const nothingCertain = (warnings: readonly FelixWarning[]): FelixResolution => ({
  outcome: 'unknown',
  parameters: [...felixParameters],
  values: {},
  sources: {},
  raw: {},
  warnings: [
    ...warnings,
    versionWarning("some versions of Calico would not start with this; Calico's version is not known"),
  ],
})

function agreement(resolved: readonly Resolved[]): FelixResolution {
  const last = resolved.at(-1) as Resolved
  const agreed = (name: keyof Values): boolean => {
    const texts = resolved.map((answer) => JSON.stringify(answer.values[name]))
    return texts[0] !== undefined && texts.every((text) => text === texts[0])
  }
  const parameters = felixParameters.filter((name) => !agreed(name))
  if (parameters.length === 0 && agreed('effectiveMarkMask')) return last
  const pick = <T extends object>(from: T): Partial<T> =>
    Object.fromEntries(Object.entries(from).filter(([name]) => agreed(name as keyof Values))) as Partial<T>
  const partly: FelixPartly = {
    parameters,
    values: pick(last.values),
    sources: pick(last.sources),
    raw: pick(last.raw),
    warnings: last.warnings,
  }
  if (resolved.every((it) => it.outcome === 'nondeterministic' && it.parameters.length === parameters.length)) {
    return { outcome: 'nondeterministic', ...partly }
  }
  const warning = versionWarning(
    `${parameters.join(', ') || 'the mark mask'}: the versions of Calico differ, and the version of this cluster is not known`,
  )
  return { outcome: 'unknown', ...partly, warnings: [...partly.warnings, warning] }
}
