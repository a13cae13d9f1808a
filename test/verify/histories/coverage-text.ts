import type { Covered } from './coverage.ts'

/** Files with arms that were never taken, and the shares of the two folders. */
export const coverageText = (covered: Covered[]): string => {
  const open = covered.filter(({ missing }) => missing.length > 0)
  const folders = ['shared/domain/rollout/', 'shared/workflows/'].map((folder) => {
    const files = covered.filter(({ file }) => file.startsWith(folder))
    return lineOf(folder, sum(files, 'taken'), sum(files, 'branches'))
  })
  return [...open.map(({ file, taken, branches }) => lineOf(file, taken, branches)), ...folders].join('\n')
}

const sum = (files: Covered[], key: 'taken' | 'branches'): number => files.reduce((total, file) => total + file[key], 0)

const lineOf = (name: string, taken: number, branches: number): string =>
  `${((100 * taken) / Math.max(1, branches)).toFixed(1).padStart(5)} %  ${taken} of ${branches} branches  ${name}`
