import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type Page } from 'playwright-core'

export const openBrowser = async (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox', '--font-render-hinting=none'] })

export interface Shot {
  scheme?: 'light' | 'dark'
  width?: number
  /** Only what a screen shows of a long page. */
  screen?: number
}

/** A page of 300 clusters on a busy machine. */
const patience = 300_000

/** Whoever looks at a page. `problems`: what its policy or its script complained about. */
export const withPage = async <T>(
  browser: Browser,
  url: string,
  { scheme = 'light', width = 1280, screen = 900 }: Shot,
  act: (page: Page, problems: string[]) => Promise<T>,
): Promise<T> => {
  const page = await browser.newPage({ viewport: { width, height: screen }, colorScheme: scheme })
  const problems: string[] = []
  page.on('pageerror', ({ message }) => problems.push(message))
  page.on('console', (it) => (it.type() === 'error' ? problems.push(it.text()) : undefined))
  page.setDefaultTimeout(patience)
  await page.goto(url)
  try {
    return await act(page, problems)
  } finally {
    await page.close()
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Of WCAG 2.2 A and AA and axe-core's best practices: one line for each rule that is broken. The page's policy forbids foreign scripts, so this one comes from the debugger. Of a fleet the first forty clusters, for the others are no different and take minutes. */
export const axeFindings = async (page: Page): Promise<string[]> => {
  await page.evaluate("document.querySelectorAll('table.fleet > tbody:nth-of-type(n+41)').forEach((it) => it.remove())")
  await page.evaluate(axe)
  const { violations } = await page.evaluate<AxeAnswer>("axe.run({ resultTypes: ['violations'], preload: false })")
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help} (${nodes.length}): ${String(nodes[0]?.target)} ${nodes[0]?.failureSummary ?? ''}`,
  )
}

interface AxeAnswer {
  violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[]
}

export const heightOf = (page: Page): Promise<number> => page.evaluate<number>('document.documentElement.scrollHeight')

export const isWiderThanScreen = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > innerWidth')

export const pdfOf = (page: Page): Promise<Buffer> => page.pdf({ preferCSSPageSize: true, printBackground: true })

/** Counted in the file itself. */
export const pagesIn = (pdf: Buffer): number => pdf.toString('latin1').match(/\/Type\s*\/Page(?!s)/g)?.length ?? 0
