/** The command line was wrong: exit status 64, and what would be right. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Why the command stopped, in words for people; `next` is the command to run then. */
export class Failure extends Error {
  override name = 'Failure'
  readonly next: string | undefined

  constructor(message: string, next?: string) {
    super(message)
    this.next = next
  }
}
