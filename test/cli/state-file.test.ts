import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Failure } from '../../cli/failure.ts'
import { baselineFrom } from '../../cli/check/baseline.ts'
import { readState } from '../../cli/check/state-file.ts'
import { planFrom } from '../../cli/sync/plan-file.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { kept } from '../../shared/domain/capture/kept.ts'
import { cluster } from '../domain/ingredients.ts'

const folder = mkdtempSync(join(tmpdir(), 'state-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'state.json')

/** Every place in a document, as the way to it. */
const placesIn = (value: unknown, way: string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? [way, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...way, key]))]
    : [way]

const withChange = (document: unknown, [key, ...rest]: string[], junk: unknown): unknown => {
  if (key === undefined) return junk
  if (Array.isArray(document)) return document.map((it, at) => (String(at) === key ? withChange(it, rest, junk) : it))
  const record = document as Record<string, unknown>
  return { ...record, [key]: withChange(record[key], rest, junk) }
}

const captured: unknown = JSON.parse(JSON.stringify(kept(cluster('mask 0xffff0080, aws-node'))))
const places = placesIn(captured)

test('a state as it was captured passes', async () => {
  writeFileSync(file, JSON.stringify(captured))
  expect((await readState(file)).nodes).toHaveProperty('value')
})

test('every world of docs/in-step.md passes through capture and file, and its report is the same', async () => {
  const page = readFileSync(new URL('../../docs/in-step.md', import.meta.url), 'utf8')
  const worlds = [...page.matchAll(/^\| (?!Given|---)(.+?) \|/gm)].map(([, given = '']) => given.trim())
  expect(worlds.length).toBeGreaterThan(100)
  for (const given of worlds) {
    const state = cluster(given)
    writeFileSync(file, JSON.stringify(kept(state)))
    const read = await readState(file).catch((error: Error) => error.message)
    expect([given, typeof read === 'string' ? read : assess(read, defaultPolicy).report.verdict]).toEqual([
      given,
      assess(state, defaultPolicy).report.verdict,
    ])
  }
})

test('a state with garbage anywhere in it is judged or named as the fault, never stumbled over', async () => {
  const junk = fc.constantFrom<unknown>(null, 7, -1, 'x', '', true, [], {}, [null], { value: null }, { failure: {} }, [
    [],
  ])
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), junk, async (place, garbage) => {
      writeFileSync(file, JSON.stringify(withChange(captured, place, garbage)))
      try {
        const state = await readState(file)
        plan(assess(state, defaultPolicy), state, defaultPolicy)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        expect(error.message).toContain('is not a captured state: ')
      }
    }),
    { numRuns: 300 },
  )
}, 60_000)

test('a result of ours in place of a state is named, with the command that makes a state', async () => {
  const world = cluster('eks range 20000-32767')
  const { report: judged } = assess(world, defaultPolicy)
  const inContext = { ...judged, cluster: { name: 'prod', context: 'prod-1' } }
  const sweep = { schemaVersion: 1, sweptAt: judged.observedAt, clusters: [judged] }
  const given = { check: inContext, plan: { ...inContext, plan: {} }, sweep, doctor: { hops: [] } }
  for (const [kind, document] of Object.entries(given)) {
    writeFileSync(file, JSON.stringify(document))
    await expect(readState(file)).rejects.toMatchObject({
      message: `${file} is the result of ${kind} (-o json), not a captured state.`,
      next: expect.stringMatching(/^calico-ipvs-sync capture state\.json( --context prod-1)? {3}# /),
    })
    if (kind !== 'plan')
      await expect(planFrom(file)).rejects.toThrow(`the result of ${kind} (-o json), not a plan file.`)
  }
  writeFileSync(file, JSON.stringify(captured))
  await expect(planFrom(file)).rejects.toMatchObject({ next: expect.stringMatching(/^calico-ipvs-sync plan -o json /) })
  await expect(baselineFrom(file)).rejects.toThrow('is a captured state, not a result of check, plan or sweep')
})

test('the fault is named by where it stands', async () => {
  const broken = withChange(captured, ['pods', 'value', '0', 'restartCount'], 'many')
  writeFileSync(file, JSON.stringify(broken))
  await expect(readState(file)).rejects.toThrow('pods.value.0.restartCount')
})
