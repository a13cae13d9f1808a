import type { Change, Forecast, Plan } from '../../domain/report.ts'
import { clipped } from './columns.ts'
import type { Paint } from './paint.ts'
import { counted, duration, plain } from '../wording.ts'

/** What would be done, what it disturbs, and what forbids it. */
export const planLines = (plan: Plan, brush: Paint, width?: number): string[] => {
  const { strategy, changes, forecast, blockedBy } = plan
  if (blockedBy.length > 0)
    return [
      brush.bold(
        `Plan: nothing is written while ${blockedBy.map(plain).join(', ')} stands; the finding says what to do`,
      ),
    ]
  if (changes.length === 0) return [brush.bold('Plan: nothing to do')]
  return [
    brush.bold(`Plan (${strategy}): ${counted(changes.length, 'change')}`),
    ...numbered(changes).map((line) => (width === undefined ? line : clipped(line, width))),
    `  ${forecastText(forecast)}`,
  ]
}

const most = 12
const ends = 5

const numbered = (changes: readonly Change[]): string[] => {
  const lines = changes.map(
    (change, at) => `  ${String(at + 1).padStart(String(changes.length).length)}. ${changeText(change)}`,
  )
  if (lines.length <= most) return lines
  return [...lines.slice(0, ends), `  … ${lines.length - 2 * ends} more like these …`, ...lines.slice(-ends)]
}

export const changeText = ({ action, kind, namespace, name, patch }: Change): string => {
  const object = plain([kind, namespace, name].filter((part) => part !== undefined).join('/'))
  return `${action.padEnd(7)} ${object}${patch === undefined ? '' : `  ${patchText(patch)}`}`
}

const longest = 200

const patchText = (patch: object): string => clipped(plain(JSON.stringify(patch)), longest)

/** `Restarts Felix on 3 nodes at a time, 48 in all, about 9 min; no pod restarted.` */
export const forecastText = ({ felixRestarts, felixRestartsAtOnce, podRestarts, seconds }: Forecast): string => {
  const about = seconds === undefined ? '' : `, about ${duration(seconds)}`
  const felix =
    felixRestarts === 0
      ? 'Restarts no Felix'
      : `Restarts Felix on ${counted(felixRestartsAtOnce, 'node')} at a time, ${felixRestarts} in all`
  if (podRestarts === 0) return `${felix}${about}; no pod restarted.`
  return `${felix}; ${counted(podRestarts, 'calico-node pod')} restarted${about}.`
}
