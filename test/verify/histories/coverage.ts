import { readFileSync } from 'node:fs'
import { createRequire, registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

/** How often each arm of each branch was taken, as Istanbul counts it. */
interface FileCoverage {
  path: string
  branchMap: Record<string, { type: string; locations: { start: { line: number } }[] }>
  b: Record<string, number[]>
}

export interface Covered {
  file: string
  branches: number
  taken: number
  /** `LINE TYPE` of the arms that were never taken. */
  missing: string[]
}

interface Instrumenter {
  instrumentSync: (code: string, path: string) => string
}

const require = createRequire(import.meta.url)
const { createInstrumenter } = require('istanbul-lib-instrument') as {
  createInstrumenter: (options: { esModules: boolean; coverageVariable: string }) => Instrumenter
}

const variable = '__branches__'
const measured = /\/(shared\/(?:domain\/rollout|workflows)\/.+\.ts)$/

/** From now on, modules of the rollout and the workflows count their branches. */
export const countBranches = (): void => {
  const instrumenter = createInstrumenter({ esModules: true, coverageVariable: variable })
  registerHooks({
    load: (url, context, next) => {
      const path = measured.exec(url)?.[1]
      if (path === undefined) return next(url, context)
      const code = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
      return { format: 'module', source: instrumenter.instrumentSync(code, path), shortCircuit: true }
    },
  })
}

/** By file, the least covered first. Only modules that were loaded count. */
export const branchesTaken = (): Covered[] => {
  const files = Object.values((globalThis as unknown as Record<string, Record<string, FileCoverage>>)[variable] ?? {})
  const shareOf = ({ branches, taken }: Covered) => (branches === 0 ? 1 : taken / branches)
  return files.map(coveredOf).toSorted((a, b) => shareOf(a) - shareOf(b))
}

const coveredOf = ({ path, branchMap, b }: FileCoverage): Covered => {
  const arms = Object.entries(b).flatMap(([id, counts]) =>
    counts.map((count, arm) => {
      const { type = '', locations = [] } = branchMap[id] ?? {}
      const line = (locations[arm] ?? locations[0])?.start.line
      return { count, at: `${line ?? '?'} ${type}` }
    }),
  )
  const missing = arms.filter(({ count }) => count === 0).map(({ at }) => at)
  return { file: path, branches: arms.length, taken: arms.length - missing.length, missing }
}
