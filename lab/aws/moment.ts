import type { BusEvent } from './eks-trail.ts'
import type { Routed } from './event-bus.ts'
import type { Batch } from './event-source.ts'
import type { Invocation } from './lambda.ts'
import type { SlackMessage } from './slack.ts'
import type { Delivery } from './topics.ts'

/** What a cloud on AWS would show in its consoles. Functions, rules and queues by their labels. */
export type Moment =
  | { kind: 'event'; event: BusEvent }
  | ({ kind: 'routed' } & Routed)
  | { kind: 'schedule'; schedule: string }
  | ({ kind: 'invocation' } & Invocation)
  | { kind: 'log'; function: string; line: string }
  | ({ kind: 'batch' } & Batch)
  | ({ kind: 'delivery' } & Delivery)
  | ({ kind: 'slack' } & SlackMessage)
  | { kind: 'call'; service: string; operation: string; caller: string }
  | { kind: 'fault'; fault: Error }
