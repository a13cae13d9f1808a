import { PermanentError, UnseenError } from './errors.ts'
import { receivesAtMost } from './settings.ts'

/** Whether a message that was received so often and failed with this error becomes a dead letter now. */
export const isLastTry = (error: unknown, receives: number): boolean =>
  error instanceof PermanentError || error instanceof UnseenError || receives >= receivesAtMost
