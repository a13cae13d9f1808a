import type { Command } from 'commander'
import { say } from '../streams.ts'
import { portRangeIn } from '../port-range.ts'
import type { Configuration } from './file.ts'

/** Before a command acts: what its line does not say is taken from the configuration file, where one is named. */
export const applyConfiguration = (command: Command): Promise<void> | undefined => {
  const { config: file } = command.opts<{ config?: string }>()
  return file === undefined ? undefined : apply(command, file)
}

const apply = async (command: Command, file: string): Promise<void> => {
  const { configurationIn } = await import('./file.ts')
  const taken = take(command, await configurationIn(file))
  const { verbose, quiet } = command.opts<{ verbose?: boolean; quiet?: boolean }>()
  if (verbose && !quiet) say(`configuration ${file}: ${taken.join(', ') || 'nothing in it is for this command'}`)
}

/** The names of what was taken. Whoever names a cluster otherwise, or a captured state, is not led to another one. */
const take = (command: Command, it: Configuration): string[] => {
  const taken: string[] = []
  const has = (name: string) => command.options.some((option) => option.attributeName() === name)
  const isGiven = (name: string) => command.getOptionValue(name) !== undefined
  const set = (name: string, value: unknown, from = name) => {
    if (value === undefined || isGiven(name)) return
    command.setOptionValueWithSource(name, value, 'config')
    taken.push(from)
  }
  const isElsewhere = ['cluster', 'state'].some(isGiven) || (isSweep(command) && isGiven('region'))
  if (has('kubeconfig') && !isElsewhere && !process.env['KUBECONFIG']) set('kubeconfig', it.kubeconfig)
  if (has('context') && !isElsewhere) {
    if (isSweep(command)) set('context', it.contexts, 'contexts')
    else set('context', it.context)
  }
  if (isSweep(command)) set('ranges', spansOf(it.ranges))
  else if (has('serviceNodePortRange') && !isGiven('probe') && !isGiven('state')) {
    const asked = command.getOptionValue('context') ?? command.getOptionValue('cluster')
    set('serviceNodePortRange', spansOf(it.ranges)?.[String(asked)], 'ranges')
  }
  set('exceptions', it.exceptions)
  return taken
}

const isSweep = (command: Command): boolean => command.name() === 'sweep'

const spansOf = (ranges: Configuration['ranges']): Record<string, { min: number; max: number }> | undefined =>
  ranges &&
  Object.fromEntries(
    Object.entries(ranges).flatMap(([name, text]) => {
      const range = portRangeIn(text)
      return range ? [[name, range] as const] : []
    }),
  )
