import { mkdtempSync } from 'node:fs'
import { followPage } from './verify/emulator/emulate.ts'
import { sayClaim } from './verify/results.ts'
const claims = await followPage(mkdtempSync('/tmp/moto/page-'))
claims.forEach(sayClaim)
