import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'

/**
 * The SDK's clients, with what interprets their schemas, would be a third of a large function and two thirds of a small
 * one, and of their cold starts. In their place are clients with the same names for the calls that are made; they use the
 * SDK's signatures, retries and connections. A test compares both. A call that they do not have does not compile.
 */
const slimClients: Plugin = {
  name: 'slim-clients',
  setup: (build) => {
    build.onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path }) => ({
      path: join(import.meta.dirname, '../shared/clients/aws/slim', `${path.replace(/^.*client-/, '')}.ts`),
    }))
  },
}

/** The calls at the top of a module whose results nobody needs are left out, if esbuild is told that they do nothing else. */
const withoutUnusedResults: Plugin = {
  name: 'without-unused-results',
  setup: (build) => {
    // Of the schemas for YAML one is used; of the SDK's retries those of streams are not.
    build.onLoad(
      { filter: /(js-yaml[\\/]dist[\\/]js-yaml\.mjs|submodules[\\/]retry[\\/]index\.js)$/ },
      async ({ path }) => ({
        contents: (await readFile(path, 'utf8')).replace(
          /^((?:var|export const) \w+ = )((?:define\w+Tag|bind\w+|YAML11_SCHEMA\.withTags|new \w+)\()/gm,
          '$1/* @__PURE__ */ $2',
        ),
      }),
    )
  },
}

const excuse = 'is left out: infra/slimming.ts'

/** A replacement module with the same names, each of which throws an error that it was removed. */
const absentAll = (source: string, what: string) => {
  const names = Array.from(source.matchAll(/^export \{ (.+) \};?$|^export (?:const|function) (\w+)/gm), (found) =>
    (found[1] ?? found[2] ?? '').split(', ').map((name) => name.replace(/^\w+ as /, '')),
  ).flat()
  const absent = `const absent = () => { throw new Error('${what} ${excuse}') }`
  return `${absent}\nexport { ${names.map((name) => `absent as ${name}`).join()} }`
}

/** Schemas can be converted to JSON Schema, which only the build of the documentation needs. */
const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  setup: (build) => {
    build.onLoad(
      { filter: /zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => ({ contents: absentAll(await readFile(path, 'utf8'), 'JSON Schema') }),
    )
  },
}

/** Headers of messages within a stream of events are signed in a form of their own. Nothing here streams. */
const withoutSignedStreams: Plugin = {
  name: 'without-signed-streams',
  setup: (build) => {
    build.onLoad({ filter: /signature-v4[\\/]dist-es[\\/]HeaderFormatter\.js$/ }, () => ({
      contents: `const absent = () => { throw new Error('Signing a stream ${excuse}') }
export class HeaderFormatter { format = absent }
export class Int64 { static fromNumber = absent }`,
    }))
  },
}

/**
 * Removes code that esbuild cannot drop itself. It does not change the behaviour of a function; a test checks the
 * sizes.
 */
export const slimming: Plugin[] = [slimClients, withoutUnusedResults, withoutJsonSchema, withoutSignedStreams]
