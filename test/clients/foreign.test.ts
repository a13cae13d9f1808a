import { describe, expect, test } from '@jest/globals'
import { oneLine, textMapOf, textOf, textsOf } from '../../shared/clients/foreign.ts'
import { controlsIn, plantedControls, plantedSecrets, secretsIn } from '../hostile/planted-secrets.ts'

/** Nothing else stands between what a server says and what is made of it: reports clean what they show once more. */
describe('at the door', () => {
  test.each(plantedControls)('$kind is taken out of a text, a list, a map and its keys', ({ text }) => {
    const map = Object.entries(textMapOf({ [text]: text }))
    for (const it of [textOf(text), ...textsOf([text]), ...map.flat(), oneLine(text)])
      expect({ it, found: controlsIn(it ?? '') }).toEqual({ it, found: [] })
  })

  test.each(plantedSecrets)('$kind is taken out of what is told in words of a server', ({ text }) => {
    expect(secretsIn(oneLine(text, 10_000))).toEqual([])
  })
})
