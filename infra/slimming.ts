import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

/**
 * Lambda passes credentials to a function in its environment; the rest of the SDK's default chain (profiles, SSO,
 * token files, instance metadata, with a client for each) is 70 kB that is never used there.
 */
const credentialsFromEnvironment: Plugin = {
  name: 'credentials-from-environment',
  setup: (build) => {
    const namespace = 'credentials-from-environment'
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ resolveDir }) => ({
      path: 'environment',
      namespace,
      pluginData: resolveDir,
    }))
    build.onLoad({ filter: /./, namespace }, ({ pluginData }: { pluginData?: unknown }) => ({
      contents: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env'`,
      resolveDir: typeof pluginData === 'string' ? pluginData : '.',
    }))
  },
}

/** Errors that our code catches by their class. Others are checked by their names, which the SDK sets anyway. */
const caught = ['ConditionalCheckFailedException']

/**
 * A client's schemas describe every operation it has, and register a class for each of its errors. Keys are computed
 * (`{ [_ht]: … }`), which esbuild treats as a side effect, so it keeps the schemas of unused operations. With literal
 * keys, and without the unused error classes, it can drop them.
 */
const schemasOfWhatIsCalled: Plugin = {
  name: 'schemas-of-what-is-called',
  setup: (build) => {
    build.onLoad({ filter: /@aws-sdk[\\/].*[\\/]schemas_\d+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const constants = new Map(
        Array.from(source.matchAll(/^const (\w+) = ("(?:[^"\\]|\\.)*");$/gm), ([, name, text]) => [name, text]),
      )
      const contents = source
        .replace(/\[(\w+)\]:/g, (key, name: string) => `${constants.get(name) ?? key}:`)
        .replace(/^n\d+_registry\.registerError\(\w+\$, (\w+)\);$/gm, (line, name: string) =>
          caught.includes(name) ? line : '',
        )
      return { contents }
    })
  },
}

/** Clients read their version for the user agent, which would add their whole package.json. */
const versionsOnly: Plugin = {
  name: 'versions-only',
  setup: (build) => {
    build.onLoad({ filter: /@(aws-sdk|smithy)[\\/][^\\/]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string }
      return { contents: JSON.stringify({ version }), loader: 'json' }
    })
  },
}

const excuse = 'is left out: infra/slimming.ts'
const absent = (what: string): string => `const absent = function () { throw new Error('${what} ${excuse}') }`

/** A replacement module with the same names, each of which throws an error that it was removed. */
const absentAll = (source: string, what: string) => {
  const names = Array.from(source.matchAll(/^export \{ (.+) \};?$|^export (?:const|function|class) (\w+)/gm), (found) =>
    (found[1] ?? found[2] ?? '').split(', ').map((name) => name.replace(/^\w+ as /, '')),
  ).flat()
  return `${absent(what)}\nexport { ${names.map((name) => `absent as ${name}`).join()} }`
}

/** Modules of which nothing is called in Lambda, and what each would do. */
const neverCalled: [file: RegExp, what: string][] = [
  // Only the build of the documentation converts schemas.
  [/zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/, 'JSON Schema'],
  // For runtimes without hashes of their own; Node has them.
  [/checksum[\\/](sha256[\\/]Sha256|md5[\\/]Md5)Js\.js$/, 'A hash in JavaScript'],
  // Lambda's environment has it.
  [/regionConfig[\\/]getInstanceMetadataRegion\.js$/, 'Asking the machine for its region'],
  // Answers come as streams of Node.
  [/util-stream[\\/]sdk-stream-mixin\.browser\.js$/, 'A stream of a browser'],
]

const withoutNeverCalled: Plugin = {
  name: 'without-never-called',
  setup: (build) => {
    for (const [filter, what] of neverCalled)
      build.onLoad({ filter }, async ({ path }) => ({
        contents: absentAll(await readFile(path, 'utf8'), what),
      }))
  },
}

/** DynamoDB's client makes a cache of discovered endpoints when it is made itself; none of its operations uses it any more. */
const withoutDiscoveredEndpoints: Plugin = {
  name: 'without-discovered-endpoints',
  setup: (build) => {
    build.onLoad({ filter: /endpoint-cache[\\/]dist-es[\\/]EndpointCache\.js$/ }, () => ({
      contents: `${absent('Discovery of endpoints')}
export class EndpointCache { getEndpoint = absent; get = absent; set = absent; has = absent; delete = absent; clear = absent }`,
    }))
  },
}

/**
 * What js-yaml computes when it is loaded may be left out where nothing uses it, such as all that it writes with. esbuild
 * does so if it is told that computing it does nothing else.
 */
const yamlReadOnly: Plugin = {
  name: 'yaml-read-only',
  setup: (build) => {
    build.onLoad({ filter: /js-yaml[\\/]dist[\\/]js-yaml\.mjs$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(
        // A whole declaration: the next line begins at the margin, and closes nothing.
        /^var ([\w$]+) = (?!["\d-])(.+?);(?=\n[^\s}\])])/gms,
        'var $1 = /* @__PURE__ */ (() => ($2))();',
      ),
    }))
  },
}

/** Each region comes with its name for people, which no endpoint has in it. */
const withoutNamesOfRegions: Plugin = {
  name: 'without-names-of-regions',
  setup: (build) => {
    build.onLoad({ filter: /util-endpoints[\\/]lib[\\/]aws[\\/]partitions\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/"description": "[^"]*"/g, ''),
    }))
  },
}

/** The SDK can tell browsers apart by what they say of themselves; its clients in Node never ask. */
const withoutBrowsers: Plugin = {
  name: 'without-browsers',
  setup: (build) => {
    build.onResolve({ filter: /^bowser$/ }, () => ({ path: `Telling browsers apart ${excuse}`, external: true }))
  },
}

/** Operations that stream events need a codec of 15 kB. None is used; a call would throw an error. */
const withoutEventStreams: Plugin = {
  name: 'without-event-streams',
  setup: (build) => {
    const namespace = 'without-event-streams'
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ importer }) =>
      /client-s3[\\/]/.test(importer)
        ? { path: 'made and not used', namespace }
        : // Imported at a call: then Node says that it cannot find a module of this name.
          { path: `Streaming events ${excuse}`, external: true },
    )
    // S3's client creates one in its constructor.
    build.onLoad({ filter: /./, namespace }, () => ({
      contents: `${absent('Streaming events')}
export const eventStreamSerdeProvider = () => ({ serialize: absent, deserialize: absent })
export const resolveEventStreamSerdeConfig = (given) => given`,
    }))
  },
}

/**
 * STS could sign for several regions at once, which needs a package that is not installed: each of our calls is for
 * one.
 */
const forOneRegion: Plugin = {
  name: 'for-one-region',
  setup: (build) => {
    const namespace = 'for-one-region'
    build.onResolve({ filter: /^@aws-sdk\/signature-v4-multi-region$/ }, ({ resolveDir }) => ({
      path: 'one-region',
      namespace,
      pluginData: resolveDir,
    }))
    build.onLoad({ filter: /./, namespace }, ({ pluginData }: { pluginData?: unknown }) => ({
      contents: `import { SignatureV4 } from '@smithy/signature-v4'
export class SignatureV4MultiRegion extends SignatureV4 { static sigv4aDependency() { return 'none' } }
export class SignatureV4SignWithCredentials extends SignatureV4 {
  constructor() { throw new Error('S3 Express ${excuse}') }
}`,
      resolveDir: typeof pluginData === 'string' ? pluginData : '.',
    }))
  },
}

/** Headers of messages within a stream of events are signed in a form of their own. Nothing here streams. */
const withoutSignedStreams: Plugin = {
  name: 'without-signed-streams',
  setup: (build) => {
    build.onLoad({ filter: /signature-v4[\\/]dist-es[\\/]HeaderFormatter\.js$/ }, () => ({
      contents: `${absent('Signing a stream')}
export class HeaderFormatter { format = absent }
export class Int64 { static fromNumber = absent }`,
    }))
  },
}

/**
 * Removes code that esbuild cannot drop itself. It does not change the behaviour of a function; a test checks the
 * sizes.
 */
export const slimming: Plugin[] = [
  credentialsFromEnvironment,
  schemasOfWhatIsCalled,
  versionsOnly,
  withoutBrowsers,
  withoutEventStreams,
  forOneRegion,
  withoutNeverCalled,
  withoutDiscoveredEndpoints,
  yamlReadOnly,
  withoutNamesOfRegions,
  withoutSignedStreams,
]
