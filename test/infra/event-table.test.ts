import { beforeAll, describe, expect, test } from '@jest/globals'
import { type EventPattern, matchesPattern } from '../../lab/aws/event-pattern.ts'
import { askRuler, whyNoRuler } from '../../lab/event-ruler/event-ruler.ts'
import { touchedBy } from '../../shared/domain/event/touched.ts'
import { patterns } from '../../shared/domain/spoke/event-patterns.ts'
import { heardEvents } from './heard-events.ts'

const table = heardEvents.map((it) => [it.what, it] as const)

test('the table has more than forty events, and some that are not heard', () => {
  expect(table.length).toBeGreaterThan(55)
  expect(heardEvents.filter(({ heard }) => heard.length === 0).length).toBeGreaterThan(10)
  expect(new Set(heardEvents.flatMap(({ heard }) => heard))).toEqual(new Set(Object.keys(patterns)))
})

describe("the rules by the lab's matcher", () => {
  test.each(table)('%s', (_, { event, heard }) => {
    const matching = Object.entries(patterns).filter(([, pattern]) => matchesPattern(pattern as EventPattern, event))
    expect(matching.map(([name]) => name)).toEqual(heard)
  })
})

describe('the clusters that an event speaks of', () => {
  test.each(table)('%s', (_, { event, clusters }) => {
    const touched = touchedBy(event)
    if (clusters instanceof RegExp) {
      expect(Object.keys(touched)).not.toContain('clusters')
      if ('ignored' in touched) expect(touched.ignored).toMatch(clusters)
      if ('refused' in touched) expect(touched.refused).toMatch(clusters)
      return
    }
    expect('clusters' in touched && touched.clusters.map(({ region, name }) => `${region}/${name}`)).toEqual(clusters)
    expect('clusters' in touched && touched.clusters.every((it) => it.account === '111122223333')).toBe(true)
  })
})

describe("the rules by EventBridge's own matcher", () => {
  let answers: string[][] | undefined
  beforeAll(async () => {
    const why = await whyNoRuler()
    if (why === undefined) answers = await askRuler({ patterns, events: heardEvents.map(({ event }) => event) })
    // A test must not be passed over in silence: without Java the lab's matcher alone has judged.
    else console.warn(`NOT COMPARED with AWS's own matcher: ${why}`)
  }, 300_000)

  test('says of every event what the table says', () => {
    const said = answers ?? heardEvents.map(({ heard }) => heard)
    expect(heardEvents.map(({ what }, index) => [what, said[index]])).toEqual(
      heardEvents.map(({ what, heard }) => [what, heard]),
    )
  })

  test('refuses a pattern that EventBridge would refuse', async () => {
    if (answers === undefined) return
    await expect(askRuler({ patterns: { Wrong: { source: 'aws.eks' } }, events: [] })).rejects.toThrow(/must be an/)
  })
})
