import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../infra/bundle.ts'
import { openBrowser } from './samples/browser.ts'
import { nuFindings, shownPage } from './samples/checked.ts'
import { bringChromium } from './samples/chromium.ts'
import { pages } from './samples/documents.ts'
import { indexPage, type IndexEntry } from './samples/index-page.ts'
import { terminalSamples } from './samples/terminal.ts'

/** What people see, made by one command: pages as they stand on screens and on paper, and the terminal. Fails where a page breaks a rule of accessibility or of HTML. */
const out = join(root, 'out/samples')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const pagesShown = async (
  chromium: string,
  names: readonly string[],
): Promise<(IndexEntry & { problems: string[] })[]> => {
  const browser = await openBrowser(chromium)
  const shown: Awaited<ReturnType<typeof pagesShown>> = []
  try {
    for (const name of names) {
      const entry = await shownPage(browser, { folder: out, name })
      say(`   ${name}: ${entry.note}`)
      shown.push(entry)
    }
  } finally {
    await browser.close()
  }
  return shown
}

const main = async (): Promise<boolean> => {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-samples-'))
  try {
    const made = Object.entries(pages())
    for (const [name, text] of made) writeFileSync(join(out, `${name}.html`), text)
    const names = made.map(([name]) => name)
    say('Pages')
    const chromium = bringChromium(say)
    const shown = chromium === undefined ? [] : await pagesShown(chromium, names)
    say('Terminal')
    const samples = process.argv.includes('--pages') ? [] : await terminalSamples(join(out, 'terminal'), workdir, say)
    writeFileSync(join(out, 'index.html'), indexPage(shown, samples))
    say('Index')
    const index = chromium === undefined ? [] : await pagesShown(chromium, ['index'])
    const files = [
      ...[...names, 'index'].map((name) => `${name}.html`),
      ...samples.map(({ file }) => `terminal/${file}`),
    ]
    const checked = nuFindings(
      files.map((file) => join(out, file)),
      say,
    )
    const problems = [...[...shown, ...index].flatMap((it) => it.problems), ...checked]
    for (const problem of problems) say(`✗ ${problem}`)
    say(problems.length === 0 ? '✓ out/samples/index.html' : `✗ ${problems.length} problems; out/samples/index.html`)
    return problems.length === 0
  } finally {
    rmSync(workdir, { recursive: true, force: true })
  }
}

process.exitCode = (await main()) ? 0 : 1
