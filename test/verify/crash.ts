import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { startTables } from './crash/outside.ts'
import { startProxy } from './crash/proxy.ts'
import { resultsOf } from './crash/results.ts'
import { setTheScene } from './crash/scene.ts'
import {
  brakes,
  crashes,
  haltBrakes,
  haltCrashes,
  outages,
  requestTroubles,
  deliveryFaults,
  type Series,
  type Tried,
} from './crash/series.ts'

/** Stops a rollout at every one of its effects, dead or by the brake, on the real API server, and looks whether it is finished all the same. */

interface Options {
  every: number
  only?: 'crashes' | 'halts' | 'brakes' | 'messages' | 'requests' | 'outages'
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const crash = async ({ every, only }: Options): Promise<void> => {
  const begun = Date.now()
  const scene = await setTheScene()
  const tables = await startTables()
  const proxy = await startProxy(scene.cluster)
  const tried: Tried[] = []
  const series: Series = {
    scene,
    dynamo: tables.dynamo,
    proxy,
    stride: every,
    tried: (it) => {
      tried.push(it)
      if (it.failures.length > 0) say(`RED ${it.point}\n    ${it.failures.join('\n    ')}`)
      else if (tried.length % 25 === 0) say(`${tried.length} points, ${Math.round((Date.now() - begun) / 1000)} s`)
    },
  }
  try {
    if (!only || only === 'crashes')
      for (const need of ['both', 'range', 'restarts'] as const) await crashes(series, need)
    if (!only || only === 'halts')
      for (const strategy of ['canary', 'direct'] as const) await haltCrashes(series, strategy)
    if (!only || only === 'brakes') {
      for (const need of ['range', 'restarts'] as const) await brakes(series, need)
      for (const strategy of ['canary', 'direct'] as const) await haltBrakes(series, strategy)
    }
    if (!only || only === 'messages')
      for (const need of ['both', 'range', 'restarts'] as const) await deliveryFaults(series, need)
    if (!only || only === 'requests') await requestTroubles(series, 'both')
    if (!only || only === 'outages') await outages(series, 'both', [1, 4, 9, 16, 24])
  } finally {
    await proxy.stop()
    await tables.stop()
    await scene.stop()
  }
  const results = resultsOf(tried, (Date.now() - begun) / 1000)
  const folder = join(import.meta.dirname, '../../out/crash')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  say(JSON.stringify({ ...results, failures: results.failures.length }, null, 2))
  if (results.failures.length > 0) process.exitCode = 1
}

const count = (text: string): number => {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 up.')
}

const program = new Command('crash')
  .description('Stops a rollout dead at every effect in turn; writes out/crash/results.json.')
  .option('--every <k>', 'only every k-th point', count, 1)
  .option('--only <part>', 'crashes, halts, brakes, messages, requests or outages')
  .action(crash)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`crash: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 2
}
