/** What a service says of a call that it refused. */
export interface Refused {
  code?: string | undefined
  message?: string | undefined
}

/** How a service refuses, and the errors that are caught by their class. */
export interface Refusing {
  refused: (text: string) => Refused
  errors?: Record<string, new (message: string) => Error>
}

interface Refusal {
  text: string
  headers: Record<string, string>
  httpStatusCode: number
}

/** `com.amazonaws#ThrottlingException:http://…` is `ThrottlingException`. */
const nameIn = (code: string): string => code.replace(/[,:].*$/s, '').replace(/^.*#/, '')

/** As the SDK's errors are: by the name of the code that the service answers. */
export function refusalOf({ errors, refused }: Refusing, { text, headers, httpStatusCode }: Refusal): Error {
  const { code, message } = saidIn(refused, text)
  const name = nameIn(headers['x-amzn-errortype'] ?? code ?? '') || 'UnknownError'
  const error = new (errors?.[name] ?? Error)(message ?? `HTTP ${httpStatusCode}`)
  return Object.assign(error, { name })
}

/** Something between us and the service may have answered, in a form of its own. */
const saidIn = (refused: Refusing['refused'], text: string): Refused => {
  try {
    return refused(text)
  } catch {
    return {}
  }
}

/** With what was answered: the status decides what is tried again, a header when. A log does not show the answer. */
export const unread = (error: unknown, { $metadata, response }: { $metadata: object; response: object }): unknown =>
  error instanceof Error
    ? Object.defineProperty(Object.assign(error, { $metadata }), '$response', { value: response, configurable: true })
    : error
