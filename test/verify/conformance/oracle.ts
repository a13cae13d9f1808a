import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { z } from 'zod'

export const oracleVersion = 'v3.28.4'

/** What bears on Felix on one node, in the oracle's form. */
export interface Configuration {
  nodeName: string
  objects: RawObject[]
  env: string[]
  file: Record<string, string>
  v3: boolean
}

export interface RawObject {
  metadata: { name: string; annotations: Record<string, string> }
  spec: Record<string, unknown>
}

const textMap = z.record(z.string(), z.string()).default({})
const resolution = z.object({
  outcome: z.enum(['ok', 'error', 'nondeterministic']),
  values: z.record(z.string(), z.unknown()).default({}),
  sources: textMap,
  raw: textMap,
  warnings: z.array(z.string()).default([]),
  uncertain: z.array(z.string()).default([]),
  stage: z.string().optional(),
  error: z.string().optional(),
})
const changed = z.object({ parameters: z.array(z.string()), error: z.string().optional() })
const verdict = z.object({ valid: z.boolean(), matches: z.boolean() })

export type OracleResolution = z.infer<typeof resolution>
export type OracleVerdict = z.infer<typeof verdict>

export interface Oracle {
  resolve(configuration: Configuration): Promise<OracleResolution>
  /** Every parameter that a running Felix would find changed, by its own comparison. Throws where it would not start. */
  changes(from: Configuration, to: Configuration): Promise<string[]>
  pattern(expression: string, text: string): Promise<OracleVerdict>
  selector(expression: string, labels: Record<string, string>): Promise<OracleVerdict>
  stop(): void
}

interface Waiting {
  resolve(line: string): void
  reject(error: Error): void
}

/** One process, one line an answer, in the order of the questions. */
export function startOracle(binary: string): Oracle {
  const child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: Waiting[] = []
  const fail = (error: Error): void => {
    for (const one of waiting.splice(0)) one.reject(error)
  }
  child.on('error', fail)
  child.stdin.on('error', fail)
  child.on('close', (code) => fail(new Error(`the oracle ended (exit ${code}) before it answered`)))
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(line))
  const ask = async (question: object): Promise<unknown> => {
    const answer = new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }))
    child.stdin.write(`${JSON.stringify(question)}\n`)
    return JSON.parse(await answer) as unknown
  }
  return {
    resolve: async (configuration) => resolution.parse(await ask({ configuration })),
    changes: async (from, to) => {
      const { parameters, error } = changed.parse(await ask({ changes: { from, to } }))
      if (error !== undefined) throw new Error(error)
      return parameters
    },
    pattern: async (expression, text) => verdict.parse(await ask({ pattern: { expression, text } })),
    selector: async (expression, labels) => verdict.parse(await ask({ selector: { expression, labels } })),
    stop: () => void child.stdin.end(),
  }
}
