import { labelOf, type Limit, ofType } from './limit.ts'
import { longest } from './longest.ts'

const bytesOf = (environment: unknown, stackName: string): number => {
  const { Variables = {} } = (environment ?? {}) as { Variables?: Record<string, unknown> }
  return Object.entries(Variables).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(longest(value, stackName))),
    0,
  )
}

export const ofFunctions: Limit[] = [
  {
    quota: 'Environment variables of a function: 4,096 bytes',
    faults: (stack) =>
      ofType(stack, 'AWS::Lambda::Function').flatMap(([id, { Environment }]) => {
        const bytes = bytesOf(Environment, stack.stackName)
        if (bytes <= 4_096) return []
        return [
          `The variables of ${labelOf(id)} would have ${bytes} bytes and Lambda takes 4,096. Choose a shorter \`stackName\`: the names of all its resources begin with it.`,
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
