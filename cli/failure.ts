/** The command line is invalid: exit status 64, with the correct usage. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Why the command failed; `next` is the command to run next. */
export class Failure extends Error {
  override name = 'Failure'
  readonly next: string | undefined

  constructor(message: string, next?: string) {
    super(message)
    this.next = next
  }
}
