import { describe, expect, test } from '@jest/globals'
import { targetInput } from '../../../lab/aws/target-input.ts'

const event = {
  source: 'aws.eks',
  resources: ['arn:a'],
  detail: { name: 'prod "1"', range: { min: 1 }, ports: [7, 8] },
}
const rule = { name: 'Changes', arn: 'arn:aws:events:eu-west-1:111122223333:rule/Changes' }
const transformed = (InputTemplate: string, InputPathsMap: object = {}) =>
  targetInput({ InputTransformer: { InputTemplate, InputPathsMap } }, event, rule)

describe('what a rule’s target gets', () => {
  test('is the event, unless the target says otherwise', () => {
    expect(targetInput({}, event, rule)).toEqual(event)
  })

  test('may be a constant', () => {
    expect(targetInput({ Input: '{"sweep":true}' }, event, rule)).toEqual({ sweep: true })
  })

  test('may be a part of the event', () => {
    expect(targetInput({ InputPath: '$.detail.range' }, event, rule)).toEqual({ min: 1 })
    expect(targetInput({ InputPath: '$.resources[0]' }, event, rule)).toBe('arn:a')
    expect(targetInput({ InputPath: '$' }, event, rule)).toEqual(event)
  })

  test('may be transformed: values as JSON outside quotes, as text inside', () => {
    const paths = { name: '$.detail.name', range: '$.detail.range', ports: '$.detail.ports' }
    expect(transformed('{"c": <name>, "said": "of <name>: <range>", "p": <ports>}', paths)).toEqual({
      c: 'prod "1"',
      said: 'of prod "1": {"min":1}',
      p: [7, 8],
    })
  })

  test('may name the rule and the whole event', () => {
    expect(transformed('{"rule": "<aws.events.rule-name>", "event": <aws.events.event.json>}')).toEqual({
      rule: 'Changes',
      event,
    })
  })

  test('has null where the event has nothing, and says which rule’s template is not JSON', () => {
    expect(transformed('{"x": <gone>, "y": "<gone>"}', { gone: '$.detail.gone' })).toEqual({ x: null, y: '' })
    expect(() => transformed('{"x": ')).toThrow('rule Changes does not give JSON')
  })
})
