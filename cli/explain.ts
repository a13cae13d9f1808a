import type { Command } from 'commander'
import { exitStatus } from './exit-status.ts'
import { Failure, UsageError } from './failure.ts'
import type { Ending } from './exit-status.ts'
import { type OutputOptions, withExamples, withOutput } from './options.ts'
import { didYouMean } from '../shared/domain/nearest.ts'
import { ownFile } from './own-file.ts'
import { bold, printed, widthOf } from './streams.ts'

export const addExplain = (program: Command, end: Ending): void => {
  const command = program
    .command('explain')
    .description('What a finding code means, what to look for, what to do.')
    .argument('[code]', 'RANGE_DIFFERS and the like; without one all codes are listed')
  withExamples(command, 'calico-ipvs-sync explain', 'calico-ipvs-sync explain RANGE_DIFFERS')
  withOutput(command, ['text', 'json']).action(async (code: string | undefined, options: OutputOptions) => {
    const sections = await findingSections()
    const found = code === undefined ? sections : [sectionOf(sections, code)]
    await printed(await (code === undefined ? listText : sectionText)(found, options), options)
    end(exitStatus.inStep)
  })
}

interface Section {
  code: string
  text: string
}

/** Prints a section of docs/findings.md, so that there is no second copy. */
const findingSections = async (): Promise<Section[]> => {
  const { readFile } = await import('node:fs/promises')
  const document = await readFile(ownFile('docs/findings.md'), 'utf8').catch(() => {
    throw new Failure('docs/findings.md is missing from this installation.', 'install calico-ipvs-sync again')
  })
  return document
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      code: part.split(/\s/, 1)[0]?.replaceAll('`', '') ?? '',
      text: part.slice(part.indexOf('\n')).trim(),
    }))
    .filter(({ code }) => /^[A-Z][A-Z0-9_]+$/.test(code))
}

const sectionOf = (sections: readonly Section[], asked: string): Section => {
  const code = asked.trim().toUpperCase().replaceAll('-', '_')
  const section = sections.find((it) => it.code === code)
  if (section) return section
  const guess = didYouMean(
    code,
    sections.map((it) => it.code),
  )
  throw new UsageError(`There is no finding ${JSON.stringify(asked)}.${guess} Without a code, explain lists them all.`)
}

const sectionText = async ([section]: readonly Section[], options: OutputOptions): Promise<string> => {
  if (!section) return ''
  if (options.output === 'json') return `${JSON.stringify(section, null, 2)}\n`
  const { proseLines } = await import('../shared/report/text/prose.ts')
  const width = widthOf(process.stdout, options.outputFile)
  const strong = bold(options)
  const style = { bold: strong, ...(width !== undefined && { width: Math.min(width, 100) }) }
  return `${strong(section.code)}\n\n${proseLines(section.text, style).join('\n')}\n`
}

const listText = async (sections: readonly Section[], { output, outputFile }: OutputOptions): Promise<string> => {
  const rows = sections.map(({ code, text }) => ({ code, summary: firstSentence(text) }))
  if (output === 'json') return `${JSON.stringify(rows, null, 2)}\n`
  const { hanging } = await import('../shared/report/text/columns.ts')
  const longest = Math.max(...rows.map(({ code }) => code.length))
  const width = widthOf(process.stdout, outputFile)
  // Where a sentence has no room behind the code, it stands below it.
  const isNarrow = width !== undefined && width < 2 * longest
  const lines = rows.flatMap(({ code, summary }) =>
    isNarrow
      ? [code, ...hanging(summary, '  ', '  ', width)]
      : hanging(summary, `${code.padEnd(longest)}  `, ' '.repeat(longest + 2), width),
  )
  return `${lines.join('\n')}\n`
}

/** The first paragraph that is prose, up to its first full stop. */
const firstSentence = (text: string): string => {
  const prose = text.split(/\n\s*\n/).find((paragraph) => /^(?!\W*severity)[A-Za-z`*"]/i.test(paragraph)) ?? ''
  const line = prose.replaceAll(/\s+/g, ' ').replaceAll(/[*`]/g, '')
  return /^.*?[.!](?=\s|$)/.exec(line)?.[0] ?? line
}
