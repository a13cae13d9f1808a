import { exactTextOf as textOf, exactTextsOf as textsOf, type Foreign, objectOf, oneLine } from '../foreign.ts'
import { type KubeconfigEntry, KubeconfigError } from './file.ts'

type Headers = Record<string, string | string[]>

/**
 * The headers by which the API server takes us for the user whom the kubeconfig names (`as`, `as-groups`, `as-uid`,
 * `as-user-extra`). https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export function impersonation({ name, value }: KubeconfigEntry): Headers | undefined {
  const user = textOf(value['as'])
  const more = {
    ...texts('Impersonate-Group', value['as-groups']),
    ...texts('Impersonate-Uid', value['as-uid']),
    ...extra(objectOf(value['as-user-extra'])),
  }
  if (user) return sendable({ 'Impersonate-User': user, ...more }, name)
  if (Object.keys(more).length === 0) return undefined
  throw new KubeconfigError(
    `The user ${oneLine(name, 100)} has groups or an id to act as (as-groups, as-uid, as-user-extra), and no user (as).`,
  )
}

function texts(header: string, value: unknown): Headers {
  if (typeof value === 'string' && value !== '') return { [header]: value }
  const all = textsOf(value)
  return all.length > 0 ? { [header]: all } : {}
}

/** A key may be of any signs, and is percent-encoded in lower case, as client-go does it. */
function extra(given: Foreign): Headers {
  const entries = Object.entries(given).map(([key, value]) =>
    texts(`Impersonate-Extra-${encodeURIComponent(key.toLowerCase()).replaceAll(/[()]/g, escaped)}`, value),
  )
  return Object.assign({}, ...entries) as Headers
}

const escaped = (sign: string): string => `%${sign.codePointAt(0)?.toString(16)}`

function sendable(headers: Headers, user: string): Headers {
  // oxlint-disable-next-line no-control-regex
  for (const value of Object.values(headers).flat())
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value))
      throw new KubeconfigError(
        `The user ${oneLine(user, 100)} acts as one whose name no request can hold (as, as-groups).`,
      )
  return headers
}
