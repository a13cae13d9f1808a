import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { axeFindings, heightOf, isWiderThanScreen, pagesIn, pdfOf, type Shot, withPage } from './browser.ts'
import type { IndexEntry } from './index-page.ts'

const shots: Record<string, Shot> = {
  light: {},
  dark: { scheme: 'dark' },
  phone: { width: 390, screen: 844 },
}

/** A page of a fleet is long: its beginning shows how it looks. */
const longest = 4_000
const mostPages = 40

/** A page on screens and on paper; `problems`: what axe-core, its own script and its widths complain about. */
export const shownPage = async (
  browser: Browser,
  { folder, name }: { folder: string; name: string },
): Promise<IndexEntry & { problems: string[] }> => {
  const url = pathToFileURL(join(folder, `${name}.html`)).href
  const entry = { title: name, files: [`${name}.html`], note: '', problems: [] as string[] }
  for (const [kind, shot] of Object.entries(shots))
    await withPage(browser, url, shot, async (page, complaints) => {
      const height = await heightOf(page)
      await page.setViewportSize({ width: shot.width ?? 1280, height: Math.min(height, longest) })
      await page.screenshot({ path: join(folder, `${name}-${kind}.png`) })
      entry.files.push(`${name}-${kind}.png`)
      const isWide = await isWiderThanScreen(page)
      const found = [...complaints, ...(isWide ? ['wider than the screen'] : []), ...(await axeFindings(page))]
      entry.problems.push(...found.map((it) => `${name} (${kind}): ${it}`))
    })
  await withPage(browser, url, {}, async (page) => {
    const pdf = await pdfOf(page)
    writeFileSync(join(folder, `${name}.pdf`), pdf)
    entry.files.push(`${name}.pdf`)
    entry.note = `${pagesIn(pdf)} pages on paper`
    if (pagesIn(pdf) >= mostPages) entry.problems.push(`${name}: ${entry.note}`)
  })
  return entry
}

/** The Nu checker, which is a program for Java. */
export const nuFindings = (files: readonly string[], say: (line: string) => void): string[] => {
  if (spawnSync('java', ['-version']).status !== 0) {
    say('   NOTHING CHECKED BY THE NU CHECKER: there is no Java here (Debian: apt-get install default-jre-headless)')
    return []
  }
  const jar = createRequire(import.meta.url).resolve('vnu-jar')
  const jarFile = jar.endsWith('.jar') ? jar : join(jar, '../build/dist/vnu.jar')
  const words = ['-jar', jarFile, '--errors-only', '--also-check-svg', ...files]
  const { status, stderr } = spawnSync('java', words, { encoding: 'utf8' })
  const said = stderr.split('\n').filter((line) => line !== '')
  return status === 0 || said.length > 0 ? said : [`the Nu checker ended with ${status}`]
}
