import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * In kilobytes. On Linux the peak that getrusage tells is inherited: a process begins with that of whoever forked it,
 * which here is the test runner. `VmHWM` is the process's own.
 */
const peak = () => {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  return /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? String(process.resourceUsage().maxRSS)
}

process.on('exit', () => writeFileSync(process.env['PEAK_FILE'] ?? '', peak()))
