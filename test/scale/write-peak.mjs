import { writeFileSync } from 'node:fs'

// In kilobytes, on every platform (libuv).
process.on('exit', () => writeFileSync(process.env['PEAK_FILE'] ?? '', String(process.resourceUsage().maxRSS)))
