import { partsOf } from '../../domain/identity.ts'
import { regionOfEndpoint } from '../../domain/partitions.ts'
import type { AwsCredentials } from '../aws/eks-token.ts'
import { type Foreign, objectsOf, present, textOf, textsOf } from '../foreign.ts'

/** The EKS cluster behind a context of a kubeconfig, and the credentials for calls to EKS. */
export interface EksHint {
  arn?: string
  account?: string
  name?: string
  region?: string
  /** The credentials of the credential plugin: a role to assume, a profile of `~/.aws`, or keys in its environment. */
  roleArn?: string
  profile?: string
  /** Other files than those of `~/.aws`. */
  files?: { configFilepath?: string; filepath?: string }
  keys?: AwsCredentials
  /** Only the authenticator's cluster id is known, and the cluster need not be one of EKS. */
  doubtful?: true
}

/** The parts of a context that may identify the cluster. */
export interface ContextParts {
  context: string
  cluster: string
  server: string
  /** Of the user. */
  exec: Foreign
}

/**
 * `aws eks update-kubeconfig` names a cluster by its ARN, eksctl names it `NAME.REGION.eksctl.io`; the plugin is
 * given name, region, role and profile; an EKS endpoint contains its region. `undefined`: there is no sign that the
 * cluster is one of EKS.
 */
export function eksHint({ context, cluster, server, exec }: ContextParts): EksHint | undefined {
  const arn = partsOf(cluster) ?? partsOf(context)
  const eksctl = eksctlName.exec(cluster) ?? eksctlName.exec(context)
  const plugin = pluginOf(exec)
  const endpoint = endpointRegion(server)
  const name = arn?.name ?? plugin?.name ?? eksctl?.[1]
  if (name === undefined && endpoint === undefined) return undefined
  const { roleArn, profile, files, keys } = plugin ?? {}
  const isDoubtful = !arn && !eksctl && !endpoint && plugin?.tool === 'authenticator'
  return present<EksHint>({
    arn: arn?.arn,
    account: arn?.account,
    name,
    region: arn?.region ?? endpoint ?? plugin?.region ?? eksctl?.[2],
    roleArn,
    profile,
    files,
    keys,
    doubtful: isDoubtful || undefined,
  })
}

/** A valid EKS name; the authenticator's id may be any text. */
const eksName = /^[0-9A-Za-z][\w-]{0,99}$/
const fitting = (pattern: RegExp, text: string | undefined) => (text && pattern.test(text) ? text : undefined)

const region = String.raw`[a-z]{2,}(?:-[a-z]+)+-\d+`
const eksctlName = new RegExp(String.raw`(?:^|@)([0-9A-Za-z][\w-]{0,99})\.(${region})\.eksctl\.io$`)

const wholeRegion = new RegExp(`^${region}$`)

function endpointRegion(server: string): string | undefined {
  if (!URL.canParse(server)) return undefined
  return regionOfEndpoint(new URL(server).hostname.replace(/\.$/, ''))
}

type Plugin = Pick<EksHint, 'name' | 'region' | 'roleArn' | 'profile' | 'files' | 'keys'> & {
  tool: 'aws' | 'authenticator'
}

const tools: Record<string, Plugin['tool']> = {
  aws: 'aws',
  'aws-iam-authenticator': 'authenticator',
  'heptio-authenticator-aws': 'authenticator',
}

/** Whether the plugin takes its credentials from AWS. */
export const isOfAws = (exec: Foreign): boolean => pluginOf(exec) !== undefined

/** An AWS plugin, also behind `env`, `sh -c` or a program that passes credentials to it, such as `aws-vault exec`. */
function pluginOf(exec: Foreign): Plugin | undefined {
  const words = wordsOf([textOf(exec['command']) ?? '', ...textsOf(exec['args'])])
  const at = words.findIndex((word) => toolOf(word) !== undefined)
  const tool = toolOf(words[at] ?? '')
  const given = words.slice(at + 1)
  if (tool === undefined || !given.includes(tool === 'aws' ? 'get-token' : 'token')) return undefined
  const env = { ...environmentOf(exec), ...assignedIn(words.slice(0, at)) }
  const option = (...names: string[]) => lastOption(given, names)
  return present<Plugin>({
    tool,
    name: fitting(eksName, tool === 'aws' ? option('--cluster-name') : option('-i', '--cluster-id')),
    region: fitting(wholeRegion, option('--region') ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'])),
    roleArn: tool === 'aws' ? option('--role-arn') : option('-r', '--role'),
    profile:
      (tool === 'aws' ? option('--profile') : undefined) ??
      (env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'] || undefined),
    files: filesIn(env),
    keys: keysIn(env),
  })
}

const toolOf = (word: string): Plugin['tool'] | undefined =>
  tools[(word.split(/[\\/]/).at(-1) ?? '').replace(/\.(?:exe|cmd)$/i, '')]

/** The argument of `sh -c` is split into words. */
const wordsOf = (words: string[]): string[] =>
  words.flatMap((word, index) =>
    words[index - 1] === '-c' ? word.split(/\s+/).map((it) => it.replace(/^(["'])(.*)\1$/, '$2')) : word,
  )

const environmentOf = (exec: Foreign): Record<string, string> =>
  Object.fromEntries(objectsOf(exec['env']).map(({ name, value }) => [textOf(name) ?? '', textOf(value) ?? '']))

const assignedIn = (words: string[]): Record<string, string> =>
  Object.fromEntries(
    words.flatMap((word) => [/^([A-Z_]+)=(.*)$/s.exec(word)?.slice(1) ?? []].filter((it) => it.length > 0)),
  )

/** `--name value`, `--name=value`, and `-ivalue`; the last one counts, as for the tools. */
function lastOption(words: string[], names: string[]): string | undefined {
  const values = words.flatMap((word, index) =>
    names.flatMap((name) => {
      if (word === name) return words[index + 1] ?? []
      if (word.startsWith(`${name}=`)) return word.slice(name.length + 1)
      return name.length === 2 && word.startsWith(name) && !word.startsWith('--') ? word.slice(2) : []
    }),
  )
  return values.at(-1) || undefined
}

function filesIn(env: Record<string, string>): EksHint['files'] {
  const { AWS_CONFIG_FILE: configFilepath, AWS_SHARED_CREDENTIALS_FILE: filepath } = env
  if (!configFilepath && !filepath) return undefined
  return { ...(configFilepath && { configFilepath }), ...(filepath && { filepath }) }
}

function keysIn(env: Record<string, string>): AwsCredentials | undefined {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env
  return accessKeyId && secretAccessKey
    ? { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
    : undefined
}
