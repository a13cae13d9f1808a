import type { Tried } from './run.ts'

export interface Results {
  variants: number
  /** Variants in which a pod but calico-node's went, or an object that is not ours was changed or deleted. */
  harmed: number
  /** Variants in which a look ended without a verdict, or a message in a dead-letter queue. */
  withoutVerdict: number
  /** Variants in which people were told the same thing twice running. */
  toldTwice: number
  seed: number
  seconds: number
  /** Restarts of calico-node in all variants together, right ones included. */
  restarts: number
  /** Variants in which the deployment put the range right all the same: it was at work. */
  putRight: number
  versions: Record<string, string>
  failures: { only: number; seed: number; real?: true; what: string; failures: string[] }[]
}

export const failuresOf = ({ harms, withoutVerdict, toldTwice }: Tried): string[] => [
  ...harms,
  ...withoutVerdict,
  ...toldTwice.map((it) => `told twice: ${it.split('\n')[0]}`),
]

export const resultsOf = (tried: Tried[], about: Pick<Results, 'seed' | 'seconds' | 'versions'>): Results => ({
  variants: tried.length,
  harmed: tried.filter(({ harms }) => harms.length > 0).length,
  withoutVerdict: tried.filter((it) => it.withoutVerdict.length > 0).length,
  toldTwice: tried.filter((it) => it.toldTwice.length > 0).length,
  restarts: tried.reduce((sum, { restarts }) => sum + restarts, 0),
  putRight: tried.filter(({ wrote }) => wrote).length,
  ...about,
  failures: tried
    .filter((it) => failuresOf(it).length > 0)
    .map((it) => ({
      only: it.variant.nth,
      seed: it.variant.seed,
      ...(it.kind === 'real' && { real: true as const }),
      what: it.variant.what,
      failures: failuresOf(it),
    })),
})
