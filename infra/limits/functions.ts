import { labelOf, type Limit, ofType } from './limit.ts'
import { longest } from './longest.ts'

const bytesOf = (environment: unknown, stackName: string): [variable: string, bytes: number][] => {
  const { Variables = {} } = (environment ?? {}) as { Variables?: Record<string, unknown> }
  return Object.entries(Variables).map(([name, value]) => [
    name,
    Buffer.byteLength(name) + Buffer.byteLength(String(longest(value, stackName))),
  ])
}

/** A variable that is as long as the configuration makes it; all others are names. */
const advice: Record<string, string> = {
  NOTICES:
    'Name fewer topics in `notices.routes`, or fewer `notices.quietHours.windows`, or give a shorter `runbookBaseUrl`.',
}
const shorterName = 'Choose a shorter `stackName`: the names of all its resources begin with it.'

export const ofFunctions: Limit[] = [
  {
    quota: 'Environment variables of a function: 4,096 bytes',
    faults: (stack) =>
      ofType(stack, 'AWS::Lambda::Function').flatMap(([id, { Environment }]) => {
        const sizes = bytesOf(Environment, stack.stackName)
        const bytes = sizes.reduce((sum, [, size]) => sum + size, 0)
        if (bytes <= 4_096) return []
        const [longestOf = ''] = sizes.toSorted(([, a], [, b]) => b - a)[0] ?? []
        return [
          `The variables of ${labelOf(id)} would have ${bytes} bytes and Lambda takes 4,096. ${advice[longestOf] ?? shorterName}`,
        ]
      }),
  },
  {
    quota: 'Function timeout: 900 seconds',
    faults: (stack) =>
      ofType(stack, 'AWS::Lambda::Function').flatMap(([id, { Timeout }]) =>
        Number(Timeout ?? 3) <= 900
          ? []
          : [`${labelOf(id)} would have ${String(Timeout)} s and Lambda ends a function after 900 s. Give it less.`],
      ),
  },
]
