import { createEventBus, type EventBus, type Routed } from './event-bus.ts'
import { type Batch, startEventSources } from './event-source.ts'
import type { Keyring } from './keyring.ts'
import { createFunctions, type Functions } from './lambda.ts'
import { createLogSubscriptions, type LogSubscriptions } from './log-subscriptions.ts'
import type { Moment } from './moment.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import type { StandIns } from './stand-ins.ts'
import { createTargets } from './targets.ts'
import type { Stack } from './template.ts'

export interface WiringOptions {
  keyring: Keyring
  timeScale: number
  environments?: number
  copies?: number
  cutShort?: string | undefined
  tell: (moment: Moment) => void
}

export interface Wiring {
  functions: Functions
  bus: EventBus
  scheduler: Scheduler
  logs: LogSubscriptions
  /** Names of what has something to do: queues that are polled, `functions`, `events`, `logs`, `schedules`, `updates`. */
  busy: () => Promise<string[]>
  /** Takes nothing on any more and ends the functions. */
  stop: () => Promise<void>
  /** Resolves when the pollers have ended, which they do when the queues close. */
  ended: Promise<unknown>
}

/** What AWS does between the services, as the template says: rules, schedules, event source mappings. */
export function wire(stack: Stack, { queues, eks, endpoints }: StandIns, options: WiringOptions): Wiring {
  const { keyring, timeScale, environments, copies = 1, cutShort, tell } = options
  const onFault = (fault: Error) => tell({ kind: 'fault', fault })
  const functions = createFunctions(stack, {
    keyring,
    endpoints,
    ...(environments !== undefined && { environments }),
    cutShort,
    onLog: (name, line) => tell({ kind: 'log', function: name, line }),
    onInvocation: (invocation) => tell({ kind: 'invocation', ...invocation }),
  })
  const targets = createTargets(stack, { queues, functions, timeScale })
  const onRouted = (routed: Routed) => tell({ kind: 'routed', ...routed })
  const bus = createEventBus(stack, { targets, onFault, onRouted })
  const onFired = (schedule: string) => tell({ kind: 'schedule', schedule })
  const scheduler = createScheduler(stack, { targets, onFault, onFired })
  const logs = createLogSubscriptions(stack, { targets, onFault })
  const onBatch = (batch: Batch) => tell({ kind: 'batch', ...batch })
  const sources = startEventSources(stack, { queues, functions, timeScale, copies, onBatch, onFault })
  return {
    functions,
    bus,
    scheduler,
    logs,
    ended: sources.ended,
    busy: async () => {
      const counts = await queues.counts()
      const waiting = sources.queues.filter((name) => (counts[name] ?? 0) > 0)
      const running = { functions: functions.running(), events: bus.pending(), logs: logs.pending() }
      const ways = Object.entries({
        ...running,
        schedules: scheduler.pending(),
        updates: eks.updatesInProgress(),
      }).filter(([, count]) => count > 0)
      return [...waiting, ...ways.map(([name]) => name)]
    },
    stop: async () => {
      sources.stop()
      scheduler.stop()
      targets.stop()
      await functions.stop()
    },
  }
}
