import * as z from 'zod/mini'
import { telling } from './messages.ts'

/**
 * "Send this notice to the topics that have not accepted it, at once." It was sent with others and a topic rejected it:
 * so it has retries and a dead letter of its own.
 */
export const retelling = z.object({ schemaVersion: z.literal(1), retell: telling.shape.tell })
export type Retelling = z.infer<typeof retelling>
