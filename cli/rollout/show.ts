import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { plain, plainAll, safeJson } from '../../shared/domain/plain.ts'
import { commandFor } from '../target/command-for.ts'
import { connect } from '../target/connect.ts'
import { exitStatus } from '../exit-status.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { progress } from '../progress.ts'
import type { LookOptions, RolloutOptions, RolloutView } from '../options.ts'
import { type RolloutStatus, rolloutStatus } from './status.ts'
import { logText, statusText } from './text.ts'
import { bold, printed, widthOf } from '../streams.ts'
import { assessTarget } from '../target/target.ts'

/** Exit 0: it is shown · 2: it cannot be read. */
export const show = async (view: RolloutView, options: RolloutOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const target = await connect(options, telling)
  try {
    telling.doing(`reading ${target.name}`)
    const status = rolloutStatus(await assessTarget(target, defaultPolicy), commandFor('check', target, options))
    telling.clear()
    const on = (command: string): string => plain(commandFor(command, target, asBegun(status.rollout, options)))
    await printed(rendered(view, status, { ...options, on, name: target.name }), options)
    return exitStatus.inStep
  } finally {
    target.close()
  }
}

/** Without the source of its range a rollout could not be continued: nothing is written for a range that is only assumed. */
export const asBegun = (rollout: Rollout | undefined, options: LookOptions): LookOptions => {
  if (options.serviceNodePortRange || options.probe) return options
  const { known, given } = rollout?.where ?? {}
  return {
    ...options,
    ...(known === 'probe' && { probe: true }),
    ...(given && { serviceNodePortRange: given }),
  }
}

const rendered = (
  view: RolloutView,
  status: RolloutStatus,
  options: RolloutOptions & { on: (command: string) => string; name: string },
): string => {
  const { lease: _lease, report: _report, objects: _objects, journal, ...shown } = status
  const isJson = options.output === 'json'
  const style = { bold: bold(options), name: options.name, width: widthOf(process.stdout, options.outputFile) }
  switch (view) {
    case 'status':
      return isJson ? asJson(plainAll(shown)) : statusText(status, style, options.on)
    case 'log':
      return isJson ? asJson(plainAll({ journal })) : logText(status, style, options.on)
    case 'evidence':
      // The texts of the report are already sanitized, and its remedies have several lines.
      return asJson({ schemaVersion: 1, ...plainAll({ ...status, report: undefined }), report: status.report })
  }
}

const asJson = (value: object): string => `${safeJson(value, 2)}\n`
