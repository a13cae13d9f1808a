import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Debian's, or the one that CHROMIUM names. */
const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const findChromium = (): string | undefined =>
  places.find((it) => it !== undefined && it !== '' && existsSync(it))

/** The browser, and the letters that are in the pages: Latin, symbols, other scripts, emoji. */
const packages = ['chromium', 'fonts-dejavu-core', 'fonts-noto-color-emoji']
const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages]
const asCommand = install.join(' ')

const run = (words: readonly string[]): boolean =>
  spawnSync(words[0] ?? '', words.slice(1), {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0

/** Chromium's path. Where there is none, Debian's is installed; who may not do that reads the command. */
export const bringChromium = (say: (line: string) => void): string | undefined => {
  const found = findChromium()
  if (found !== undefined) return found
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(
      `   NO PICTURES, AND NOTHING CHECKED BY AXE-CORE: Chromium is missing. As root: ${asCommand} (or set CHROMIUM=/path)`,
    )
    return undefined
  }
  say(`   Chromium is missing; installing it: ${asCommand}`)
  const isInstalled = run(install) || (run(['apt-get', 'update', '-q']) && run(install))
  if (!isInstalled) say('   NO PICTURES, AND NOTHING CHECKED BY AXE-CORE: Chromium could not be installed')
  return findChromium()
}
