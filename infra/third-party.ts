import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import * as z from 'zod'

const manifest = z.looseObject({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  author: z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)]).optional(),
})

interface Package {
  name: string
  version: string
  license: string
  /** Its licence and notice files, or the licence in its package.json if it has no such files. */
  text: string
}

/** The folders of the packages in the bundle, sorted, relative to the root. */
export const packagesIn = ({ outputs }: Pick<Metafile, 'outputs'>): string[] => {
  const files = Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
  return [...new Set(files)].filter((folder) => folder !== undefined).toSorted()
}

/**
 * Names, versions and licences of the third-party packages in a bundle. A text that several packages share is
 * included once. Throws if a package has no licence file and its package.json names no known licence.
 */
export const thirdPartyNotices = async (root: string, metafile: Metafile): Promise<string> => {
  const apache = await readFile(join(root, 'LICENSE'), 'utf8')
  const packages = await Promise.all(packagesIn(metafile).map((folder) => read(join(root, folder), apache)))
  const users = Map.groupBy(packages, ({ text }) => text)
  const sections = [...users].map(([text, all]) => `${all.map(titleOf).join('\n')}\n\n${text}`)
  return ['This bundle contains the software listed here.', ...sections].join(`\n\n${'-'.repeat(80)}\n\n`).concat('\n')
}

const titleOf = ({ name, version, license }: Package) => `${name} ${version} (${license})`

/** `apache`: the text of that licence, which is our own too. */
const read = async (folder: string, apache: string): Promise<Package> => {
  const { name, version, license, author } = manifest.parse(
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
  )
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)\b/i.test(file)).toSorted()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const text = texts.map((it) => it.replaceAll('\r', '').trim()).join('\n\n')
  const owner = author ?? `the authors of ${name}`
  if (text === '' && license === 'Apache-2.0')
    return { name, version, license, text: `Copyright ${owner}\n\n${apache.trim()}` }
  return { name, version, license, text: text || writtenOut(name, license, owner) }
}

/** For a package without a licence file. */
const writtenOut = (name: string, license: string, author: string): string => {
  if (license === 'MIT') return `Copyright (c) ${author}\n\n${permission}${condition}\n\n${warranty}`
  if (license === 'Unlicense')
    return `By ${author}: free and unencumbered software released into the public domain, see https://unlicense.org`
  if (license === 'MIT-0') return `Copyright (c) ${author}\n\n${permission}.\n\n${warranty}`
  throw new Error(`${name} ships no licence file, and ${license} is not written out in infra/third-party.ts.`)
}

const permission = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so`

const condition = `, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.`

const warranty = `THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`
