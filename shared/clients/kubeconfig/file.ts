import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { fromBase64 } from '../certificates.ts'
import { whyUnread } from '../unread-file.ts'
import { exactTextOf as textOf, type Foreign, isObject, objectOf, objectsOf, oneLine } from '../foreign.ts'
import type { ProxyError } from '../proxy.ts'

/** What an error is about, for who advises on it. */
interface Cause {
  /** A file that the kubeconfig names and that cannot be read. */
  file?: string
  /** How the credential plugin ended: its exit status, or there is no such program. */
  ended?: number | 'not there'
  proxy?: ProxyError
}

/** An error in the kubeconfig, with its fix. */
export class KubeconfigError extends Error {
  override name = 'KubeconfigError'
  /** `file`: there is none that can be used · `choice`: another context must be chosen · `login`: anything on the way to the cluster. */
  readonly about: 'file' | 'choice' | 'login'
  override readonly cause: Cause

  constructor(message: string, about: KubeconfigError['about'] = 'login', cause: Cause = {}) {
    super(message)
    this.about = about
    this.cause = cause
  }
}

/** An entry of a kubeconfig, and the folder for its relative paths. */
export interface KubeconfigEntry {
  name: string
  folder: string
  value: Foreign
}

export interface Kubeconfig {
  files: string[]
  currentContext?: string
  contexts: KubeconfigEntry[]
  clusters: KubeconfigEntry[]
  users: KubeconfigEntry[]
}

/** The files that kubectl reads: the given one, else those of `KUBECONFIG`, else `~/.kube/config`. */
export function kubeconfigFiles(file: string | undefined, env: NodeJS.ProcessEnv): string[] {
  if (file !== undefined) {
    if (existsSync(file)) return [file]
    throw new KubeconfigError(`There is no kubeconfig ${file}.`, 'file')
  }
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  return (listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')]).filter((path) => existsSync(path))
}

/** Several files count as one: of two entries with the same name the first is used, as kubectl does. */
export function readKubeconfig(files: string[]): Kubeconfig {
  const documents = files.map((file) => ({ document: read(file), folder: dirname(resolve(file)) }))
  const entries = (list: string, inner: string): KubeconfigEntry[] =>
    documents.flatMap(({ document, folder }) =>
      objectsOf(document[list]).flatMap((entry) => {
        const name = textOf(entry['name'])
        return name === undefined ? [] : [{ name, folder, value: objectOf(entry[inner]) }]
      }),
    )
  const currentContext = documents.map(({ document }) => textOf(document['current-context'])).find((name) => name)
  return {
    files,
    ...(currentContext !== undefined && { currentContext }),
    contexts: entries('contexts', 'context'),
    clusters: entries('clusters', 'cluster'),
    users: entries('users', 'user'),
  }
}

function read(file: string): Foreign {
  try {
    const document = firstOf(readFileSync(file, 'utf8'))
    if (isObject(document)) return document
  } catch (error) {
    throw new KubeconfigError(`The kubeconfig ${file} cannot be read: ${reasonOf(error)}`, 'file')
  }
  throw new KubeconfigError(`The kubeconfig ${file} cannot be read: it is not a YAML object.`, 'file')
}

/** kubectl reads the first document, with `---` before or after it, and leaves out what follows. */
function firstOf(text: string): unknown {
  const [document] = [parseAllDocuments(text, { logLevel: 'error' })].flat()
  const [wrong] = document?.errors ?? []
  if (wrong) throw wrong
  return document?.toJS() ?? {}
}

/** A parser's message quotes the text, which may contain a token: so only the line number is shown. */
function reasonOf(error: unknown): string {
  const { code, message, linePos } = error as { code?: string; message?: string; linePos?: { line: number }[] }
  if (code?.startsWith('E') && message !== undefined) return oneLine(`${whyUnread(error)}.`)
  const line = linePos?.[0]?.line
  return `it is not YAML${line === undefined ? '' : ` (line ${line})`}.`
}

/**
 * PEM from `NAME-data` (base64) or from the file of `NAME`; `undefined`: neither is set, by kubectl's rules. Throws
 * if it cannot be read or is empty: it must not be treated as a missing setting.
 */
export function pemOf({ value, folder }: KubeconfigEntry, name: string): Pem | undefined {
  for (const key of [`${name}-data`, name])
    if (value[key] !== undefined && value[key] !== null && textOf(value[key]) === undefined)
      throw new KubeconfigError(`${key} in the kubeconfig is not a text.`)
  const data = textOf(value[`${name}-data`])
  if (data) return { text: decoded(data, `${name}-data`), from: `${name}-data in the kubeconfig` }
  const file = textOf(value[name])
  if (file)
    return { text: readText(resolve(folder, file)), from: `The file ${oneLine(file)} (${name} in the kubeconfig)` }
  return undefined
}

export interface Pem {
  text: string
  /** Its source, as the beginning of a sentence. */
  from: string
}

function decoded(data: string, key: string): string {
  const packed = data.replace(/\s+/g, '')
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return fromBase64(packed)
  throw new KubeconfigError(`${key} in the kubeconfig is not base64.`)
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new KubeconfigError(
      `The file ${oneLine(file)}, named in the kubeconfig, cannot be read: ${whyUnread(error)}.`,
      'login',
      { file },
    )
  }
}
