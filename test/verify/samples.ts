import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../infra/bundle.ts'
import { html } from '../../shared/report/html/report.ts'
import {
  axeFindings,
  findChromium,
  heightOf,
  isWiderThanScreen,
  openBrowser,
  pagesIn,
  pdfOf,
  type Shot,
  withPage,
} from './samples/browser.ts'
import { documents } from './samples/documents.ts'
import { indexPage, type Entry } from './samples/index-page.ts'
import { terminalSamples } from './samples/terminal.ts'

/** What people see, made by one command: pages as they stand on screens and on paper, and the terminal. Fails where a page breaks a rule of accessibility or of HTML. */
const out = join(root, 'out/samples')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const shots: Record<string, Shot> = {
  light: {},
  dark: { scheme: 'dark' },
  phone: { width: 390, screen: 844 },
}

/** A page of a fleet is long: its beginning shows how it looks. */
const longest = 4_000
const mostPages = 40

const pagesShown = async (chromium: string, entries: Entry[]): Promise<string[]> => {
  const browser = await openBrowser(chromium)
  const problems: string[] = []
  const noted = (name: string, found: readonly string[]): void =>
    void problems.push(...found.map((it) => `${name}: ${it}`))
  try {
    for (const [name, document] of Object.entries(documents())) {
      const file = join(out, `${name}.html`)
      const url = pathToFileURL(file).href
      writeFileSync(file, html(document))
      const entry: Entry = { title: name, files: [`${name}.html`] }
      for (const [kind, shot] of Object.entries(shots))
        await withPage(browser, url, shot, async (page, complaints) => {
          const height = await heightOf(page)
          await page.setViewportSize({ width: shot.width ?? 1280, height: Math.min(height, longest) })
          await page.screenshot({ path: join(out, `${name}-${kind}.png`) })
          entry.files.push(`${name}-${kind}.png`)
          noted(`${name} (${kind})`, [...complaints, ...(await axeFindings(page))])
          if (await isWiderThanScreen(page)) noted(`${name} (${kind})`, ['wider than the screen'])
        })
      await withPage(browser, url, {}, async (page) => {
        const pdf = await pdfOf(page)
        writeFileSync(join(out, `${name}.pdf`), pdf)
        entry.files.push(`${name}.pdf`)
        entry.note = `${pagesIn(pdf)} pages on paper`
        if (pagesIn(pdf) >= mostPages) noted(name, [`${pagesIn(pdf)} pages on paper`])
      })
      say(`   ${name}: ${entry.note}`)
      entries.push(entry)
    }
  } finally {
    await browser.close()
  }
  return problems
}

/** The Nu checker, which is a program for Java. */
const nuFindings = (files: readonly string[]): string[] => {
  if (spawnSync('java', ['-version']).status !== 0) {
    say('   not checked by the Nu checker: there is no Java here')
    return []
  }
  const jar = createRequire(import.meta.url).resolve('vnu-jar')
  const jarFile = jar.endsWith('.jar') ? jar : join(jar, '../build/dist/vnu.jar')
  const { stderr } = spawnSync('java', ['-jar', jarFile, '--errors-only', '--also-check-svg', ...files], {
    encoding: 'utf8',
  })
  return stderr.split('\n').filter((line) => line !== '')
}

const main = async (): Promise<boolean> => {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-samples-'))
  const entries: Entry[] = []
  const chromium = findChromium()
  say('Pages')
  if (chromium === undefined)
    say('   NO PICTURES: there is no Chromium here (Debian: apt-get install chromium; or CHROMIUM=/path)')
  const problems = chromium === undefined ? [] : await pagesShown(chromium, entries)
  if (chromium === undefined)
    for (const [name, document] of Object.entries(documents())) writeFileSync(join(out, `${name}.html`), html(document))
  problems.push(...nuFindings(Object.keys(documents()).map((name) => join(out, `${name}.html`))))
  say('Terminal')
  try {
    const samples = process.argv.includes('--pages') ? [] : await terminalSamples(join(out, 'terminal'), workdir, say)
    writeFileSync(join(out, 'index.html'), indexPage(entries, samples))
  } finally {
    rmSync(workdir, { recursive: true, force: true })
  }
  for (const problem of problems) say(`✗ ${problem}`)
  say(problems.length === 0 ? '✓ out/samples/index.html' : `✗ ${problems.length} problems; out/samples/index.html`)
  return problems.length === 0 && existsSync(join(out, 'index.html'))
}

process.exitCode = (await main()) ? 0 : 1
