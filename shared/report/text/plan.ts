import type { Change, Forecast, Plan } from '../../domain/report.ts'
import { rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { hanging } from './columns.ts'
import type { Paint } from './paint.ts'
import { counted, duration, plain } from '../wording.ts'

/** What would be done, what it disturbs, and what forbids it. */
export const planLines = (plan: Plan, brush: Paint, width?: number): string[] => {
  const { strategy, changes, forecast, blockedBy } = plan
  if (blockedBy.length > 0)
    return hanging(
      `Plan: nothing is written while ${blockedBy.map(plain).join(', ')} stands: see the finding above`,
      '',
      '  ',
      width,
    ).map(brush.bold)
  if (changes.length === 0) return [brush.bold('Plan: nothing to do')]
  return [
    `In this order (${strategy}):`,
    ...groupChanges(changes).flatMap((group) => hanging(groupText(group), '  ', '      ', width)),
    ...hanging(`Plan: ${summaryOf(changes)}; ${lowered(forecastText(forecast))}`, '', '  ', width).map(brush.bold),
  ]
}

/** Changes that follow one another and do the same to different objects: 500 overrides are one line. */
export interface ChangeGroup {
  sample: Change
  names: string[]
}

export const groupChanges = (changes: readonly Change[]): ChangeGroup[] => {
  const groups: ChangeGroup[] = []
  for (const change of changes) {
    const last = groups.at(-1)
    if (last && isAlike(last.sample, change)) last.names.push(change.name)
    else groups.push({ sample: change, names: [change.name] })
  }
  return groups
}

const isAlike = (a: Change, b: Change): boolean =>
  a.action === b.action && a.kind === b.kind && a.namespace === b.namespace && setsText(a) === setsText(b)

const signs: Record<Change['action'], string> = { create: '+', patch: '~', delete: '-', restart: '>' }
const words: Record<Change['action'], string> = {
  create: 'create',
  patch: 'change',
  delete: 'delete',
  restart: 'restart',
}

/** `+ create  FelixConfiguration/node.ip-10-0-0-1 and 4 more: range 20000:32767` */
export const groupText = ({ sample, names }: ChangeGroup): string => {
  const { action, kind, namespace } = sample
  const first = [kind, namespace, names[0]].filter((part) => part !== undefined).join('/')
  const more = names.length === 1 ? '' : ` and ${names.length - 1} more`
  return `${signs[action]} ${words[action].padEnd(7)}  ${setsText(sample)}${plain(first)}${more}`
}

/** Before the names, which may be long. */
const setsText = ({ patch, action }: Change): string => {
  if (action === 'delete' || action === 'restart' || patch === undefined) return ''
  const { metadata, spec } = patch as { metadata?: { annotations?: Record<string, string | null> }; spec?: object }
  const value = metadata?.annotations?.[rangeAnnotation]
  if (value === undefined) return ''
  const where = spec !== undefined && 'kubeNodePortRanges' in spec ? '' : ' (annotation alone)'
  return value === null ? 'range taken out of ' : `range ${plain(value)}${where} in `
}

const isOverride = ({ name }: Change): boolean => name.startsWith('node.')

/** `5 overrides, 1 change of default, 5 removals`: the first two objects that change by name, the others as a number. */
const summaryOf = (changes: readonly Change[]): string => {
  const ofAction = (action: Change['action']) => changes.filter((it) => it.action === action)
  const overrides = ofAction('create').filter(isOverride)
  const others = changes.filter(isChangeOfOther)
  const names = [...new Set(others.map(nameOf))]
  const named = names
    .slice(0, 2)
    .map((name) => [others.filter((it) => nameOf(it) === name), `change of ${name}`, `changes of ${name}`] as const)
  const further = others.filter((it) => names.slice(2).includes(nameOf(it)))
  const parts = [
    [overrides, 'override', 'overrides'],
    ...named,
    [further, 'further change', 'further changes'],
    [ofAction('delete'), 'removal', 'removals'],
    [ofAction('restart'), 'restart of a calico-node pod', 'restarts of calico-node pods'],
  ] as const
  return parts
    .filter(([alike]) => alike.length > 0)
    .map(([alike, one, many]) => counted(alike.length, one, many))
    .join(', ')
}

const isChangeOfOther = (change: Change): boolean =>
  change.action === 'patch' || (change.action === 'create' && !isOverride(change))

const nameOf = ({ name }: Change): string => plain(name)

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

/** `Restarts Felix on 3 nodes at a time, 48 in all, about 9 min; no pod restarted.` */
export const forecastText = ({ felixRestarts, felixRestartsAtOnce, podRestarts, seconds }: Forecast): string => {
  const about = seconds === undefined ? '' : `, about ${duration(seconds)}`
  const felix =
    felixRestarts === 0
      ? 'Restarts no Felix'
      : felixRestarts === 1
        ? 'Restarts Felix on 1 node'
        : `Restarts Felix on ${counted(felixRestartsAtOnce, 'node')} at a time, ${felixRestarts} in all`
  if (podRestarts === 0) return `${felix}${about}; no pod restarted.`
  return `${felix}; ${counted(podRestarts, 'calico-node pod')} restarted${about}.`
}
