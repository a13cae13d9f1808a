// Everything that must hold before a change is shared: types, lint and import rules, format, tests. Stops at the first that fails.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const steps = ['types', 'lint', 'test']
const counts = /^\d+ passed, \d+ failed$/
let last = ''

const run = (script) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (counts.test(line)) last = line
      else console.log(line)
    })
    child.on('close', (code, signal) => resolve(code ?? `ended by ${signal}`))
  })

const started = performance.now()
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`
for (const step of steps) {
  const since = performance.now()
  const code = await run(step)
  console.error(`check: ${step} ${code === 0 ? 'passed' : `failed (${code})`} in ${seconds(since)}`)
  if (code !== 0) {
    process.exitCode = 1
    break
  }
}
console.error(`check: ${seconds(started)} in all`)
// Counted by whoever reads only the last line: kept there, whatever else is said.
console.log(last || '0 passed, 1 failed')
