import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonBounds } from '../../shared/clients/kube/json-bounds.ts'

/** The items and what is around them, from pieces of so many bytes. */
const split = (text: string, bytes: number) => {
  const [items, around]: [string[], Buffer[]] = [[], []]
  let begun: Buffer[] = []
  const take = jsonBounds({
    around: (piece) => void around.push(piece),
    item: (piece, isEnd) => {
      begun.push(piece)
      if (!isEnd) return
      items.push(Buffer.concat(begun).toString())
      around.push(Buffer.from('null'))
      begun = []
    },
  })
  const whole = Buffer.from(text)
  for (let at = 0; at < whole.length; at += bytes) take(whole.subarray(at, at + bytes))
  return { items, around: Buffer.concat(around).toString() }
}

test('the objects of a list are the same, wherever its pieces end', () => {
  const page = fc.record({
    kind: fc.string(),
    metadata: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.object())),
    items: fc.array(fc.oneof(fc.object(), fc.dictionary(fc.string(), fc.json()), fc.string(), fc.array(fc.object()))),
  })
  fc.assert(
    fc.property(page, fc.integer({ min: 1, max: 40 }), (list, bytes) => {
      const text = JSON.stringify(list)
      const { items, around } = split(text, bytes)
      const written = JSON.parse(text) as { items: unknown[] }
      const isObject = (it: unknown) => typeof it === 'object' && it !== null && !Array.isArray(it)
      expect(items.map((it) => JSON.parse(it) as unknown)).toEqual(written.items.filter(isObject))
      expect(JSON.parse(around)).toEqual({
        ...written,
        items: written.items.map((it) => (isObject(it) ? null : it)),
      })
    }),
    { seed: 17 },
  )
})

/** A list with what a careless reader would take for JSON. */
test.each([
  '{"items":[{"a":1]}',
  '{"items":[{"a":1}{"b":2}]}',
  '{"items":[1{"a":1}]}',
  '{"items":[{"a":1}',
  '{"items":[{"a":{}]}}',
])('%s is no JSON in its items or around them', (text) => {
  expect(() => JSON.parse(text) as unknown).toThrow()
  const { items, around } = split(text, 3)
  expect(() => [...items, around].map((it) => JSON.parse(it) as unknown)).toThrow()
})
