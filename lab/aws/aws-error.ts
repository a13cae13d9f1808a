/** What a stand-in answers instead of a result. `fields` go into the body beside the message, as AWS does with `clusterName`. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  readonly fields: Record<string, string>

  constructor(code: string, status: number, message: string, fields: Record<string, string> = {}) {
    super(message)
    this.name = 'AwsError'
    this.code = code
    this.status = status
    this.fields = fields
  }
}
