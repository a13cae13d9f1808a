/**
 * The tool's own secrets are known and are removed from all texts of a server or a plugin, whatever they look like,
 * for example from a returned `Authorization` header.
 */
export interface OwnSecrets {
  learn: (...secrets: (string | undefined)[]) => void
  /** The text without them, in any encoding in which they may occur. */
  hide: (text: string) => string
}

/** Shorter ones would match ordinary words. */
const atLeast = 8
/** Tokens change every few minutes; this many of them are remembered. */
const atMost = 200

export function ownSecrets(...known: (string | undefined)[]): OwnSecrets {
  const forms = new Set<string>()
  const learn: OwnSecrets['learn'] = (...secrets) => {
    for (const form of secrets.flatMap(formsOf)) if (form.length >= atLeast) forms.add(form)
    for (const form of forms) if (forms.size > atMost) forms.delete(form)
  }
  learn(...known)
  const hide = (text: string): string =>
    [...forms].reduce((left, form) => (left.includes(form) ? left.replaceAll(form, '[secret]') : left), text)
  return { learn, hide }
}

/** Literally, URL-encoded, in base64, in JSON; for a key in PEM its lines. */
const formsOf = (secret = ''): string[] =>
  secret.includes('-----BEGIN')
    ? [...secret.split(/\r?\n/).filter((line) => !line.startsWith('-----')), base64(secret)]
    : secret.trim() === ''
      ? []
      : [secret, encodeURIComponent(secret.toWellFormed()), base64(secret), JSON.stringify(secret).slice(1, -1)]

const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/=+$/, '')

/** Name and password of a URL, together and separately. */
export function loginsIn(server: string): string[] {
  if (!URL.canParse(server)) return []
  const { username, password } = new URL(server)
  if (username === '' && password === '') return []
  const [name, word] = [decoded(username), decoded(password)]
  return [password, word, `${name}:${word}`, ...(password === '' ? [username, name] : [])]
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const tells = /(secret|token|passw|credential|private|key|auth)/i

/** Values that a plugin gets under the name of a secret: of variables, and of flags with or without a `=`. */
export function givenSecrets(args: readonly string[], env: Record<string, string>): string[] {
  const ofFlags = args.flatMap((arg, at) => {
    const [flag = '', ...value] = arg.split('=')
    if (!flag.startsWith('-') || !tells.test(flag)) return []
    return value.length > 0 ? [value.join('=')] : [args[at + 1] ?? '']
  })
  return [...ofFlags, ...Object.entries(env).flatMap(([name, value]) => (tells.test(name) ? [value] : []))]
}
