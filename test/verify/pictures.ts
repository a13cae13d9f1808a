import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeNodePorts } from './pictures/node-ports.ts'
import { openBrowser, withPage } from './samples/browser.ts'
import { bringChromium } from './samples/chromium.ts'
import { exampleText } from './pictures/example.ts'
import { pages } from './samples/documents.ts'

// The pictures of README.md, and the captured state that its first command shows: a drawing, whose figures come from docs/packets.json, and the beginning of a report as Chromium shows it.
const folder = join(import.meta.dirname, '../../docs/pictures')
const part = { width: 1000, screen: 830 }

const reportPicture = async (executable: string): Promise<void> => {
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-pictures-'))
  const browser = await openBrowser(executable)
  try {
    const file = join(workdir, 'report.html')
    writeFileSync(file, pages()['five-hundred-nodes'] ?? '')
    await withPage(browser, pathToFileURL(file).href, part, async (page) => {
      await page.screenshot({ path: join(folder, 'report.png') })
    })
  } finally {
    await browser.close()
    rmSync(workdir, { recursive: true, force: true })
  }
}

mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, '../example-state.json'), exampleText())
writeNodePorts()
const chromium = bringChromium((line) => void process.stdout.write(`${line}\n`))
if (chromium !== undefined) await reportPicture(chromium)
