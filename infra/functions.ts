import type { Environment } from '../shared/settings.ts'
import type { configRuleSettings, fleetReportSettings } from '../shared/report-settings.ts'
import type { evaluateSettings, rolloutStepSettings } from '../shared/worker-settings.ts'
import type { listClustersSettings, onEventSettings, sweepSettings } from '../shared/event-settings.ts'
import type { notifySlackSettings, tellSettings } from '../shared/notice-settings.ts'

/** The Lambda functions by file name, each with the settings that it reads: a forgotten variable does not compile. */
export interface Settings {
  'on-event': typeof onEventSettings
  'on-audit-log': typeof onEventSettings
  sweep: typeof sweepSettings
  'list-clusters': typeof listClustersSettings
  evaluate: typeof evaluateSettings
  'rollout-step': typeof rolloutStepSettings
  tell: typeof tellSettings
  'notify-slack': typeof notifySlackSettings
  'fleet-report': typeof fleetReportSettings
  'config-rule': typeof configRuleSettings
}
export type FunctionName = keyof Settings
export type EnvironmentOf<N extends FunctionName> = Environment<Settings[N]>

export const functionNames = [
  'on-event',
  'on-audit-log',
  'sweep',
  'list-clusters',
  'evaluate',
  'rollout-step',
  'tell',
  'notify-slack',
  'fleet-report',
  'config-rule',
] as const satisfies FunctionName[]
