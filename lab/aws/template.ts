import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve as absolute } from 'node:path'
import { holds, resolve, type Scope } from './intrinsics.ts'
import { type Fields, fieldsOf, parseFields, textOf } from './json.ts'
import { type Physical, physicalOf, type Surroundings } from './physical.ts'

export interface Resource extends Physical {
  logicalId: string
  /** What the stack's author called it, without the path and the hash that the CDK adds: for people to read. */
  label: string
  type: string
  /** With every intrinsic function carried out. */
  properties: Fields
  metadata: Fields
  /** What becomes of it with the stack, and when another takes its place. */
  deletion: string
  replacement: string
}

export interface Stack extends Omit<Surroundings, 'queuesUrl'> {
  resources: Resource[]
  outputs: Record<string, string>
  ofType: (type: string) => Resource[]
  /** The resource with this ARN. */
  byArn: (arn: string) => Resource | undefined
  /** The folder on disk that the resource's `Code` names. */
  assetOf: (resource: Resource) => string
}

/** A template as synthesized, not yet resolved, and the folder its assets are named from. */
export interface Source {
  template: Fields
  folder: string
  stackName: string
}

export interface Where {
  /** `….template.json` */
  templatePath?: string
  /** A cloud assembly (`cdk.out`); `stackName` says which template where it holds several. */
  assemblyDir?: string
  stackName?: string
}

const ending = '.template.json'

export function readTemplate({ templatePath, assemblyDir, stackName }: Where): Source {
  const path = absolute(templatePath ?? findTemplate(assemblyDir ?? 'cdk.out', stackName))
  const template = existsSync(path) ? parseFields(readFileSync(path, 'utf8')) : undefined
  if (template === undefined) throw new Error(`No template at ${path}; synthesize the stack first.`)
  return { template, folder: dirname(path), stackName: path.slice(dirname(path).length + 1).replace(ending, '') }
}

function findTemplate(folder: string, stackName: string | undefined): string {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(ending)) : []
  const [only, ...others] = stackName === undefined ? files : [`${stackName}${ending}`]
  if (only === undefined) throw new Error(`No template in ${folder}; synthesize the stack first.`)
  if (others.length > 0) throw new Error(`Several templates in ${folder}: say which stack, of ${files.join(', ')}`)
  return join(folder, only)
}

/** The template against running stand-ins. `parameters` win over the template's defaults. */
export function resolveTemplate(
  { template, folder }: Source,
  at: Surroundings,
  parameters: Record<string, string> = {},
): Stack {
  const declared = fieldsOf(template['Resources'])
  const physical = new Map<string, Physical>()
  const scope: Scope = {
    ref: (name) => pseudo(name, at) ?? parameters[name] ?? parameterDefault(template, name) ?? physical.get(name)?.ref,
    attribute: (logicalId, name) => attributeOf(physical.get(logicalId), name),
    conditions: fieldsOf(template['Conditions']),
    mappings: fieldsOf(template['Mappings']),
  }
  const entries = Object.entries(declared).map(([id, resource]) => [id, fieldsOf(resource)] as const)
  const present = entries.filter(([, { Condition }]) => Condition === undefined || holds(Condition, scope))
  for (const [id, { Type, Properties }] of present)
    physical.set(id, physicalOf(String(Type), id, namesIn(fieldsOf(Properties), scope), at))
  const resources = present.map(([id, declaration]) => resourceOf(id, declaration, physical.get(id), scope))
  return stackOf({ template, folder }, at, resources, scope)
}

function stackOf(source: Omit<Source, 'stackName'>, at: Surroundings, resources: Resource[], scope: Scope): Stack {
  const { account, region, stackName } = at
  const outputs = Object.entries(fieldsOf(source.template['Outputs']))
    .filter(([, output]) => fieldsOf(output)['Condition'] === undefined || holds(fieldsOf(output)['Condition'], scope))
    .map(([name, output]) => [name, String(resolve(fieldsOf(output)['Value'], scope))])
  const sources = assetSources(source.folder)
  return {
    account,
    region,
    stackName,
    resources,
    outputs: Object.fromEntries(outputs),
    ofType: (type) => resources.filter((resource) => resource.type === type),
    byArn: (arn) => resources.find((resource) => resource.arn === arn),
    assetOf: ({ logicalId, metadata, properties }) => {
      const key = textOf(fieldsOf(properties['Code'])['S3Key'])
        ?.replace(/^.*\//, '')
        .replace(/\.zip$/, '')
      const path = textOf(metadata['aws:asset:path']) ?? sources[key ?? '']
      if (path === undefined) throw new Error(`The template does not say where the code of ${logicalId} lies.`)
      return absolute(source.folder, path)
    },
  }
}

function resourceOf(logicalId: string, declaration: Fields, physical: Physical | undefined, scope: Scope): Resource {
  if (physical === undefined) throw new Error(`${logicalId} has no name`)
  const properties = fieldsOf(resolve(declaration['Properties'] ?? {}, scope))
  const metadata = fieldsOf(declaration['Metadata'])
  return {
    ...physical,
    logicalId,
    label: labelOf(logicalId, metadata),
    type: String(declaration['Type']),
    properties,
    metadata,
    deletion: textOf(declaration['DeletionPolicy']) ?? 'Delete',
    replacement: textOf(declaration['UpdateReplacePolicy']) ?? 'Delete',
  }
}

function labelOf(logicalId: string, metadata: Fields): string {
  const path = textOf(metadata['aws:cdk:path'])?.replace(/\/Resource$/, '')
  return path?.split('/').at(-1) ?? logicalId.replace(/(?<=.)[0-9A-F]{8}$/, '')
}

/** Properties that may name a resource; one that refers to another resource cannot be a name. */
function namesIn(properties: Fields, scope: Scope): Fields {
  const candidates = Object.entries(properties).filter(([key]) => key.endsWith('Name') || key === 'FifoQueue')
  return Object.fromEntries(
    candidates.flatMap(([key, value]) => {
      try {
        return [[key, resolve(value, scope)] as const]
      } catch {
        return []
      }
    }),
  )
}

const attributeOf = (physical: Physical | undefined, name: string): string | undefined =>
  physical === undefined ? undefined : (physical.attributes[name] ?? `${physical.name}-${name}`)

function parameterDefault(template: Fields, name: string): unknown {
  const parameter = fieldsOf(fieldsOf(template['Parameters'])[name])
  const { Default, Type } = parameter
  return typeof Default === 'string' && String(Type).startsWith('CommaDelimitedList') ? Default.split(',') : Default
}

const pseudo = (name: string, { account, region, stackName }: Surroundings): string | undefined =>
  ({
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/lab`,
  })[name]

/** Assets by hash: the manifests beside the template say which folder each was made from. */
function assetSources(folder: string): Record<string, string> {
  const manifests = readdirSync(folder).filter((file) => file.endsWith('.assets.json'))
  const files = manifests.flatMap((file) =>
    Object.entries(fieldsOf(parseFields(readFileSync(join(folder, file), 'utf8'))?.['files'])),
  )
  const paths = files.map(([hash, file]) => [hash, textOf(fieldsOf(fieldsOf(file)['source'])['path'])] as const)
  return Object.fromEntries(paths.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
