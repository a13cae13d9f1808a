import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { html } from '../../shared/report/html/report.ts'
import { axeFindings, isWiderThanScreen, openBrowser, withPage } from '../verify/samples/browser.ts'
import { nuFindings } from '../verify/samples/checked.ts'
import { findChromium } from '../verify/samples/chromium.ts'
import { pages } from '../verify/samples/documents.ts'
import { hostile, node, outOfStep, rangeDiffers, report, sweep } from './samples.ts'

/** The short form of `npm run samples`: a page of each kind as browsers show it, one with what nobody should call a cluster. */
const folder = mkdtempSync(join(tmpdir(), 'browser-'))
afterAll(() => rmSync(folder, { recursive: true }))

const strange = report({
  cluster: { name: '🚀集群'.repeat(30), context: 'x'.repeat(300) },
  verdict: 'unknown',
  nodes: [node(1, { name: 'n'.repeat(250), reason: 'y'.repeat(500), verdict: 'unknown' })],
  findings: [{ ...rangeDiffers, subject: 's'.repeat(400), message: 'm'.repeat(900) }],
})
const made = pages()
const shown: Record<string, string> = {
  halted: made['halted-rollout'] ?? '',
  during: made['during-a-rollout'] ?? '',
  history: made['history'] ?? '',
  fleet: html({ ...sweep, clusters: [strange, hostile(), outOfStep] }),
}
const files = Object.entries(shown).map(([name, page]) => {
  const file = join(folder, `${name}.html`)
  writeFileSync(file, page)
  return file
})
const loudly = (line: string): void => console.warn(line)

const chromium = findChromium()
if (chromium === undefined)
  loudly('NO PAGE WAS OPENED IN A BROWSER: there is no Chromium here; `npm run samples` installs it')

describe('in a browser', () => {
  const withChromium = chromium === undefined ? test.skip : test
  withChromium(
    'axe-core finds nothing, no script complains, and nothing is wider than a screen or a phone',
    async () => {
      const browser = await openBrowser(chromium ?? '')
      try {
        for (const file of files)
          for (const shot of [{}, { scheme: 'dark' as const, width: 390, screen: 844 }])
            await withPage(browser, pathToFileURL(file).href, shot, async (page, complaints) => {
              expect([file, await isWiderThanScreen(page), complaints, await axeFindings(page)]).toEqual([
                file,
                false,
                [],
                [],
              ])
            })
      } finally {
        await browser.close()
      }
    },
    300_000,
  )

  withChromium('a link to a cluster that the search has hidden leads to it', async () => {
    const file = join(folder, 'search.html')
    writeFileSync(file, html(sweep))
    const browser = await openBrowser(chromium ?? '')
    try {
      await withPage(browser, pathToFileURL(file).href, {}, async (page) => {
        const hidden = page.locator('table.fleet > tbody[hidden]')
        await page.selectOption('#search select[name=verdict]', 'in-step')
        expect(await hidden.count()).toBe(2)
        await page.locator('.spread a.name', { hasText: 'prod-2' }).click()
        expect([await hidden.count(), await page.locator(':target').isVisible()]).toEqual([0, true])
      })
    } finally {
      await browser.close()
    }
  })
})

test('the Nu checker finds nothing', () => {
  expect(nuFindings(files, loudly)).toEqual([])
}, 300_000)
