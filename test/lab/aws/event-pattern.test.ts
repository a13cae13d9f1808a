import { describe, expect, test } from '@jest/globals'
import { type EventPattern, matchesPattern } from '../../../lab/aws/event-pattern.ts'

const event = {
  source: 'aws.eks',
  'detail-type': 'AWS API Call via CloudTrail',
  resources: ['arn:aws:eks:eu-west-1:111122223333:cluster/prod-1'],
  detail: {
    eventName: 'UpdateClusterConfig',
    readOnly: false,
    sourceIPAddress: '198.51.100.7',
    retries: 3,
    note: '',
    responseElements: null,
    nodes: [
      { name: 'a', ready: true },
      { name: 'b', ready: false },
    ],
  },
}

const rows: [string, EventPattern, boolean][] = [
  ['one of several values', { source: ['aws.health', 'aws.eks'] }, true],
  ['none of several values', { source: ['aws.health', 'aws.config'] }, false],
  ['fields side by side, all of which must match', { source: ['aws.eks'], 'detail-type': ['Other'] }, false],
  ['case matters in plain values', { source: ['AWS.EKS'] }, false],
  ['a boolean, which is not its text', { detail: { readOnly: ['false'] } }, false],
  ['a boolean', { detail: { readOnly: [false] } }, true],
  ['a number', { detail: { retries: [3] } }, true],
  ['the empty text', { detail: { note: [''] } }, true],
  ['null', { detail: { responseElements: [null] } }, true],
  ['null is not an absent field', { detail: { errorCode: [null] } }, false],
  ['a field that is absent', { detail: { errorCode: [{ exists: false }] } }, true],
  ['exists: true of an absent field', { detail: { errorCode: [{ exists: true }] } }, false],
  ['exists: true of a present one', { detail: { eventName: [{ exists: true }] } }, true],
  ['exists: false of a present one', { detail: { eventName: [{ exists: false }] } }, false],
  ['exists looks at leaves only', { detail: [{ exists: true }] }, false],
  ['a branch that is absent', { detail: { requestParameters: { name: ['prod-1'] } } }, false],
  ['exists: false below an absent branch', { detail: { userIdentity: { invokedBy: [{ exists: false }] } } }, true],
  ['an item of a list in the event', { resources: [{ suffix: 'cluster/prod-1' }] }, true],
  ['objects in a list, one of which has it all', { detail: { nodes: { name: ['b'], ready: [false] } } }, true],
  ['objects in a list, none of which has it all', { detail: { nodes: { name: ['a'], ready: [false] } } }, false],
  ['prefix', { detail: { eventName: [{ prefix: 'UpdateCluster' }] } }, true],
  ['prefix ignoring case', { detail: { eventName: [{ prefix: { 'equals-ignore-case': 'update' } }] } }, true],
  ['prefix that matters in case', { detail: { eventName: [{ prefix: 'update' }] } }, false],
  ['suffix', { detail: { eventName: [{ suffix: 'Config' }] } }, true],
  ['suffix ignoring case', { detail: { eventName: [{ suffix: { 'equals-ignore-case': 'CONFIG' } }] } }, true],
  ['prefix of a number', { detail: { retries: [{ prefix: '3' }] } }, false],
  ['equals-ignore-case', { source: [{ 'equals-ignore-case': 'AWS.EKS' }] }, true],
  ['anything-but one value', { detail: { eventName: [{ 'anything-but': 'DeleteCluster' }] } }, true],
  ['anything-but the value', { detail: { eventName: [{ 'anything-but': 'UpdateClusterConfig' }] } }, false],
  ['anything-but a list', { detail: { retries: [{ 'anything-but': [1, 2, 3] }] } }, false],
  ['anything-but of an absent field', { detail: { errorCode: [{ 'anything-but': 'x' }] } }, false],
  ['anything-but a prefix', { source: [{ 'anything-but': { prefix: 'aws.' } }] }, false],
  ['anything-but several prefixes', { source: [{ 'anything-but': { prefix: ['my.', 'their.'] } }] }, true],
  ['anything-but a suffix', { source: [{ 'anything-but': { suffix: '.eks' } }] }, false],
  ['anything-but ignoring case', { source: [{ 'anything-but': { 'equals-ignore-case': ['AWS.EKS'] } }] }, false],
  ['anything-but a wildcard', { source: [{ 'anything-but': { wildcard: 'aws.*' } }] }, false],
  ['numeric equal', { detail: { retries: [{ numeric: ['=', 3] }] } }, true],
  ['numeric range', { detail: { retries: [{ numeric: ['>', 0, '<=', 3] }] } }, true],
  ['numeric out of range', { detail: { retries: [{ numeric: ['>', 0, '<', 3] }] } }, false],
  ['numeric of a text', { detail: { note: [{ numeric: ['>=', 0] }] } }, false],
  ['wildcard', { resources: [{ wildcard: 'arn:aws:eks:*:111122223333:cluster/*' }] }, true],
  ['wildcard that must cover the whole', { resources: [{ wildcard: 'arn:aws:eks:*:cluster/' }] }, false],
  ['wildcard with an escaped star', { source: [{ wildcard: 'aws.\\*' }] }, false],
  ['a dot in a wildcard is a dot', { source: [{ wildcard: 'aws?eks' }] }, false],
  ['cidr', { detail: { sourceIPAddress: [{ cidr: '198.51.100.0/24' }] } }, true],
  ['cidr elsewhere', { detail: { sourceIPAddress: [{ cidr: '10.0.0.0/8' }] } }, false],
  ['cidr of the other family', { detail: { sourceIPAddress: [{ cidr: '2001:db8::/32' }] } }, false],
  ['$or, one way of which matches', { $or: [{ source: ['x'] }, { detail: { retries: [3] } }] }, true],
  ['$or beside a field that does not match', { source: ['x'], $or: [{ detail: { retries: [3] } }] }, false],
  ['$or, no way of which matches', { detail: { $or: [{ retries: [4] }, { note: ['x'] }] } }, false],
]

describe('an event pattern', () => {
  test.each(rows)('%s', (_name, pattern, expected) => {
    expect(matchesPattern(pattern, event)).toBe(expected)
  })

  test('IPv6 addresses are compared by value, not by spelling', () => {
    const pattern = { ip: [{ cidr: '2001:db8::/32' }] }
    expect(matchesPattern(pattern, { ip: '2001:0DB8:0:0::1' })).toBe(true)
    expect(matchesPattern(pattern, { ip: '2001:db9::1' })).toBe(false)
  })

  test('an operator that EventBridge does not know is an error, not a silent no', () => {
    expect(() => matchesPattern({ source: [{ regex: '.*' }] }, event)).toThrow('no operator is called regex')
    expect(() => matchesPattern({ source: 'aws.eks' }, event)).toThrow('must be a list or an object')
    expect(() => matchesPattern({ detail: { retries: [{ numeric: ['~', 3] }] } }, event)).toThrow('numeric takes')
  })
})
