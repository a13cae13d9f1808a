/**
 * Secrets that we use ourselves are known, so that nothing has to look like one to be found: they are taken out of whatever a
 * server or a plugin says, an `Authorization` header that comes back among it.
 */
export interface OwnSecrets {
  learn: (...secrets: (string | undefined)[]) => void
  /** The text without them, in any form in which they travel. */
  hide: (text: string) => string
}

/** Shorter ones are found in too many words. */
const atLeast = 8
/** Tokens change every few minutes; so many of them are remembered. */
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

/** As it is, in an address, in base64, in JSON; of a key in PEM its lines. */
const formsOf = (secret = ''): string[] =>
  secret.includes('-----BEGIN')
    ? [...secret.split(/\r?\n/).filter((line) => !line.startsWith('-----')), base64(secret)]
    : secret.trim() === ''
      ? []
      : [secret, encodeURIComponent(secret.toWellFormed()), base64(secret), JSON.stringify(secret).slice(1, -1)]

const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/=+$/, '')

/** Name and password of an address, together and each. */
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

/** What a plugin is given that bears the name of a secret: values of variables, and of flags with or without a `=`. */
export function givenSecrets(args: readonly string[], env: Record<string, string>): string[] {
  const ofFlags = args.flatMap((arg, at) => {
    const [flag = '', ...value] = arg.split('=')
    if (!flag.startsWith('-') || !tells.test(flag)) return []
    return value.length > 0 ? [value.join('=')] : [args[at + 1] ?? '']
  })
  return [...ofFlags, ...Object.entries(env).flatMap(([name, value]) => (tells.test(name) ? [value] : []))]
}
