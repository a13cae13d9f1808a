import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { programOf } from '../../cli/main.ts'

/** A command as a text prints it: its program, and what a shell makes of the words. */
export interface Printed {
  text: string
  words: string[]
  /** It begins where a person can see it begin: at the start of a line, or after a colon. */
  stands: boolean
  /** What stands before it on its line. */
  before: string
}

const own = 'check|plan|sync|rollout|sweep|history|capture|doctor|explain|rbac|grant|spoke-template'
const kubectl =
  'get|patch|create|annotate|label|delete|edit|apply|set|rollout|auth|config|describe|logs|exec|-n|--context|--kubeconfig'
const aws = 'eks|sts|ssm|sso|iam|configure|logs|sqs|dynamodb|cloudformation|lambda'
const begins = new RegExp(
  `(?<![\\w./-])(?:calico-ipvs-sync (?:${own})|kubectl (?:${kubectl})|aws (?:${aws})|calicoctl [a-z])\\b`,
  'g',
)

/** To the end of its line, without the comment; a document that follows it (`<<'EOF'`) is not part of its words. */
const found = (line: string): Omit<Printed, 'words'>[] => {
  const [code = ''] = line.split('   # ')
  const starts = [...code.matchAll(begins)].map(({ index }) => index)
  return starts.map((start, nth) => {
    const end = starts[nth + 1] ?? code.length
    const before = code.slice(0, start)
    return {
      before,
      text: code
        .slice(start, end)
        .replace(/ (?:&&|\|) $/, '')
        .replace('MIN-MAX', '30000-32767')
        .replace(/ <<'EOF'$/, '')
        .trim(),
      stands: /(?:^|: |^\d+\. |^\s+(?:do\s+)?|&& |\| |Next: |: \$ )$/.test(before) || /^\s*(?:\d+\. )?$/.test(before),
    }
  })
}

/** All commands of some texts, read by a real shell that runs none of them. Throws where that makes a file. */
export const printedIn = (texts: readonly string[]): Printed[] => {
  const lines = [...new Set(texts.flatMap((text) => text.split(/\r?\n/)))]
  const commands = [...new Map(lines.flatMap(found).map((it) => [`${it.stands} ${it.text}`, it])).values()]
  const folder = mkdtempSync(join(tmpdir(), 'printed-'))
  try {
    const script = commands
      .map(
        ({ text }) =>
          `eval ${forShell(`printf '%s\\0' ${text}`)} 2>/dev/null || printf 'not for a shell\\0'\nprintf '\\1\\0'`,
      )
      .join('\n')
    const { stdout, stderr } = spawnSync('bash', ['-s'], {
      input: script,
      cwd: folder,
      encoding: 'utf8',
      env: {},
      maxBuffer: 2 ** 28,
    })
    const made = readdirSync(folder)
    if (made.length > 0 || stderr !== '')
      throw new Error(`A printed command made ${made.join(', ') || 'no file'}: ${stderr}`)
    const words = stdout.split('\u0001\0').map((it) => it.split('\0').slice(0, -1))
    return commands.map((it, index) => ({ ...it, words: words[index] ?? [] }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const forShell = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

export interface Parsed {
  command: string
  options: Record<string, unknown>
  args: string[]
}

/** As the product's own parser understands it. Throws what it would say. */
export const parsed = (words: readonly string[]): Parsed => {
  seen = undefined
  program ??= understanding()
  const region = process.env['AWS_REGION']
  delete process.env['AWS_REGION']
  try {
    program.parse([...words], { from: 'user' })
  } finally {
    if (region !== undefined) process.env['AWS_REGION'] = region
  }
  if (!seen) throw new Error(`No command was understood in ${words.join(' ')}`)
  return seen
}

let seen: Parsed | undefined
/** Made once: each parse begins with what its options were at first. */
let program: Command | undefined

const understanding = (): Command => {
  const catchAll = (command: Command): void => {
    for (const it of command.commands) catchAll(it)
    command.exitOverride().configureOutput({ writeErr: () => undefined })
    if (command.commands.length > 0) return
    command.action(() => {
      seen = {
        command: [command.parent?.name(), command.name()].filter((it) => it !== 'calico-ipvs-sync').join(' '),
        options: command.opts(),
        args: command.args,
      }
    })
  }
  const made = programOf(() => undefined)
  catchAll(made)
  return made
}

/** Where a command should lead. */
export interface Way {
  context?: string
  kubeconfig?: string
  cluster?: string
  region?: string
  role?: string
  /** Of AWS, as the kubeconfig's plugin takes it. */
  profile?: string
  /** How the node-port range was known: what looks or writes asks the same way. */
  range?: 'probe' | 'flag'
  /** The name that kubectl's context has where it is not `context`. */
  arn?: string
  /** Where the commands are pasted (default: here). */
  folder?: string
}

const optionOf = (words: readonly string[], name: string): string | undefined => {
  const at = words.findIndex((word) => word === name || word.startsWith(`${name}=`))
  return at < 0 ? undefined : words[at]?.includes('=') ? words[at].slice(name.length + 1) : words[at + 1]
}

const unplaced = new Set(['explain', 'rbac'])

/** What is wrong with a command for that cluster; none: nothing. */
export const faultsOf = ({ text, words, stands, before }: Printed, way: Way): string[] => {
  const [program, ...rest] = words
  const faults = stands ? [] : [`stands in the middle of a line after ${JSON.stringify(before.slice(-40))}: ${text}`]
  const wrong = (what: string) => faults.push(`${what}: ${text}`)
  if (words.includes('not for a shell')) wrong('is not for a shell')
  if (/>/.test(text.replaceAll(/\$?'(?:\\.|[^'])*'|"[^"]*"|\\./g, ''))) wrong('writes over a file')
  if (program === 'calico-ipvs-sync') {
    try {
      const { command, options, args } = parsed(rest)
      for (const file of writtenBy({ command, options, args }))
        if (isKept(file, options, way.folder)) wrong(`writes over the file ${file}`)
      if (unplaced.has(command) || rest.includes('--help')) return faults
      for (const key of ['context', 'kubeconfig', 'cluster', 'region', 'role'] as const)
        if (options[key] !== way[key] && !(key === 'region' && way.cluster === undefined))
          wrong(`--${key} is ${String(options[key])}, not ${way[key]}`)
      if (way.range !== undefined && /^(?:check|plan|sync|rollout status)$/.test(command) && !asks(options, way.range))
        wrong(`does not know the range by ${way.range}`)
    } catch (error) {
      wrong(`is not understood (${(error as Error).message})`)
    }
  } else if (program === 'kubectl') {
    if (rest[0] === 'config') return faults
    if (optionOf(rest, '--context') !== (way.context ?? way.arn)) wrong(`--context is ${optionOf(rest, '--context')}`)
    if (optionOf(rest, '--kubeconfig') !== way.kubeconfig) wrong(`--kubeconfig is ${optionOf(rest, '--kubeconfig')}`)
  } else if (program === 'aws' && /^(?:eks|ssm)$/.test(rest[0] ?? '')) {
    const region = optionOf(rest, '--region')
    if (region === undefined || (way.region !== undefined && region !== way.region)) wrong(`--region is ${region}`)
    if (rest[0] === 'eks' && optionOf(rest, '--profile') !== way.profile) wrong(`--profile is not ${way.profile}`)
    if (rest[1] === 'update-kubeconfig') {
      if (optionOf(rest, '--kubeconfig') !== way.kubeconfig) wrong(`changes another kubeconfig than ${way.kubeconfig}`)
      if (optionOf(rest, '--role-arn') !== way.role) wrong(`--role-arn is not ${way.role}`)
    }
    const name = optionOf(rest, '--cluster-name') ?? (rest[0] === 'eks' ? optionOf(rest, '--name') : undefined)
    if (name !== undefined && way.cluster !== undefined && name !== way.cluster) wrong(`names ${name}`)
  }
  return faults
}

/** Files that a command writes. */
const writtenBy = ({ command, options, args }: Parsed): string[] =>
  [options['outputFile'], ...(command === 'capture' ? args : [])].filter((it) => typeof it === 'string')

/** It is there, or the command reads it. */
const isKept = (file: string, options: Record<string, unknown>, folder = process.cwd()): boolean => {
  const place = (it: unknown) => (typeof it === 'string' ? resolve(folder, it) : undefined)
  const read = ['plan', 'state', 'baseline', 'config'].map((key) => place(options[key]))
  return existsSync(place(file) ?? '') || read.includes(place(file))
}

/** Another range may be advised where it is to be given. */
const asks = ({ probe, serviceNodePortRange }: Record<string, unknown>, range: 'probe' | 'flag'): boolean =>
  serviceNodePortRange !== undefined || (range === 'probe' && probe === true)

/** Texts that hold a command of kubectl's for a context that no kubeconfig has yet, and not before it how to make it. */
export const withoutContext = (texts: readonly string[]): string[] =>
  texts.filter((text) => {
    const first = text.search(/\bkubectl (?:--kubeconfig \S+ )?--context arn:/)
    return first >= 0 && !text.slice(0, first).includes('aws eks update-kubeconfig --name ')
  })

/** All texts in a JSON document. */
export const stringsIn = (it: unknown): string[] =>
  typeof it === 'string' ? [it] : typeof it === 'object' && it !== null ? Object.values(it).flatMap(stringsIn) : []
