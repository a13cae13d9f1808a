import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { didYouMean } from '../../shared/domain/nearest.ts'
import { whyUnread } from '../../shared/clients/unread-file.ts'
import { plain } from '../../shared/domain/plain.ts'
import { exception } from '../../shared/settings.ts'
import { Failure } from '../failure.ts'
import { portRangeIn } from '../port-range.ts'

const range = z
  .string()
  .check(z.refine((text) => portRangeIn(text) !== undefined, 'give it as the API server has it: 30000-32767'))

const name = z.string().check(z.minLength(1), z.maxLength(500))

/** What is always the same for somebody; each command takes of it what it has an option for. */
const configurationSchema = z.strictObject({
  /** Relative to the file. */
  kubeconfig: z.optional(name),
  /** Of commands that look at one cluster, where none is named. */
  context: z.optional(name),
  /** Of `sweep`, where none is named, nor a region. */
  contexts: z.optional(z.array(name).check(z.maxLength(1_000))),
  /** The API server's node-port range, by context or by name of an EKS cluster. */
  ranges: z.optional(z.record(name, range)),
  exceptions: z.optional(z.array(exception).check(z.maxLength(100))),
})

export type Configuration = z.infer<typeof configurationSchema>

const longest = 2 ** 20

/** Throws a `Failure` that names the key, what is wrong with it and what may have been meant. */
export const configurationIn = async (file: string): Promise<Configuration> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refused(file, `it cannot be read: ${whyUnread(error)}`)
  })
  if (text.length > longest) throw refused(file, 'it is larger than 1 MiB')
  const parsed = configurationSchema.safeParse(yamlIn(file, text) ?? {})
  if (!parsed.success) throw refused(file, parsed.error.issues.map(faultText).join('; '))
  const { kubeconfig } = parsed.data
  return { ...parsed.data, ...(kubeconfig !== undefined && { kubeconfig: resolve(dirname(file), kubeconfig) }) }
}

const yamlIn = (file: string, text: string): unknown => {
  const document = parseDocument(text, { logLevel: 'error' })
  const [wrong] = document.errors
  if (wrong) throw refused(file, `it is not YAML (line ${wrong.linePos?.[0].line ?? 1})`)
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    throw refused(file, 'it has aliases (*name), which are not read')
  }
}

const faultText = (issue: z.core.$ZodIssue): string => {
  const path = issue.path.join('.')
  if (issue.code !== 'unrecognized_keys') return `${path === '' ? 'the whole' : path}: ${issue.message}`
  return issue.keys.map((key) => unknownText([...issue.path, key].join('.'), key)).join('; ')
}

const known = [...Object.keys(configurationSchema.shape), 'cluster', 'code', 'until', 'reason']

const unknownText = (path: string, key: string): string => {
  return `there is no key ${path}${didYouMean(key, known).replace(' Did', ': did')}`
}

const refused = (file: string, why: string): Failure =>
  new Failure(
    `The configuration ${plain(file)} is not used, and nothing was done: ${plain(why)}${why.endsWith('?') ? '' : '.'}`,
    'correct the file, or leave out --config and CALICO_IPVS_SYNC_CONFIG',
  )
