import { describe, expect, test } from '@jest/globals'
import { type AccessEntry, entryFor, entryWithout } from '../../shared/domain/grant/entries.ts'
import { groups, madeKey, mapRoles } from '../../shared/domain/grant/groups.ts'
import { type Manifest, objectFor, objectWithout, type Stored } from '../../shared/domain/grant/objects.ts'

const principalArn = 'arn:aws:iam::111122223333:role/x'
const there = (groupsThere: string[], more: Partial<AccessEntry> = {}): AccessEntry => ({
  principalArn,
  arn: 'arn:aws:eks:eu-west-1:111122223333:access-entry/prod/role/111122223333/x/1',
  groups: groupsThere,
  type: 'STANDARD',
  tags: {},
  ...more,
})
const created = { tags: { [madeKey]: 'created' } }
const extended = { tags: { [madeKey]: 'extended' } }
const { viewers, operators } = groups

describe('an access entry, for a role that is to look', () => {
  test.each([
    ['none', undefined, { act: 'create', groups: [viewers] }],
    ['ours', there([viewers], created), { act: 'keep', groups: [viewers] }],
    ['made by somebody, as it should be', there([viewers]), { act: 'keep' }],
    ['without a group', there([]), { act: 'change', before: [], groups: [viewers], mark: 'extended' }],
    ['of other groups', there(['a', 'b']), { act: 'change', before: ['a', 'b'], groups: ['a', 'b', viewers] }],
    ['ours, whose group somebody took away', there([], created), { act: 'change', groups: [viewers] }],
    ['of the wrong group', there([operators]), { act: 'change', groups: [operators, viewers] }],
    [
      'of both groups',
      there([viewers, operators]),
      { act: 'keep', note: expect.stringContaining('could also make changes') },
    ],
    ['of nodes', there([], { type: 'EC2_LINUX' }), { act: 'leave', why: expect.stringContaining('EC2_LINUX') }],
  ])('%s', (_, entry, expected) => {
    expect(entryFor({ principalArn, group: viewers }, entry)).toMatchObject({ on: 'entry', principalArn, ...expected })
  })

  test('one of ours keeps its mark', () => {
    expect(entryFor({ principalArn, group: viewers }, there([], created))).not.toHaveProperty('mark')
  })
})

describe('an access entry, when it is taken away', () => {
  const none = { policies: [] }
  test.each([
    ['ours alone', there([viewers], created), none, { act: 'delete' }],
    ['ours, both groups', there([viewers, operators], created), none, { act: 'delete' }],
    ['ours, extended by somebody', there([viewers, 'a'], created), none, { act: 'change', groups: ['a'] }],
    ['ours, with a policy of somebody', there([viewers], created), { policies: ['p'] }, { act: 'change', groups: [] }],
    ['ours, policies not known', there([viewers], created), { policies: undefined }, { act: 'change', groups: [] }],
    ['of somebody, extended by us', there(['a', viewers], extended), none, { act: 'change', groups: ['a'] }],
    ['of somebody, who took the rest out', there([viewers], extended), none, { act: 'change', groups: [] }],
    ['of somebody, with our group', there([viewers]), none, { act: 'leave' }],
    ['of which no tags are told, ours alone', there([viewers], { tags: undefined as never }), none, { act: 'delete' }],
  ])('%s', (_, entry, extras, expected) => {
    expect(entryWithout(entry, extras)).toMatchObject({ on: 'entry', principalArn, ...expected })
  })

  test('of somebody, without anything of ours, is no business of ours', () => {
    expect(entryWithout(there(['system:masters']), none)).toBeUndefined()
    expect(entryWithout(there(['a'], extended), none)).toBeUndefined()
  })
})

test('in aws-auth a role stands without its path, as its sessions have it', () => {
  const text = mapRoles([{ principalArn: 'arn:aws:iam::111122223333:role/deep/path/Looks', groups: [viewers] }])
  expect(text).toBe(
    `- rolearn: arn:aws:iam::111122223333:role/Looks\n  username: ${viewers}\n  groups:\n  - ${viewers}`,
  )
})

describe('an object', () => {
  const spec = { rules: [{ operations: ['DELETE'], resources: ['pods'] }] }
  const manifest: Manifest = { apiVersion: 'x/v1', kind: 'Policy', metadata: { name: 'p' }, spec }
  const stored = (content: Record<string, unknown>, more: Partial<Stored> = {}): Stored => ({
    uid: 'u',
    resourceVersion: '1',
    content,
    managers: [{ name: 'calico-ipvs-sync', applies: true }],
    isGoing: false,
    ...more,
  })
  const filled = { spec: { rules: [{ ...spec.rules[0], scope: '*' }], matchPolicy: 'Equivalent', objectSelector: {} } }

  test.each([
    ['is not there', undefined, stored({ spec }), { act: 'create' }],
    ['is so already', stored({ spec }), stored({ spec }), { act: 'keep' }],
    ['has what servers fill in', stored(filled), stored(filled), { act: 'keep' }],
    ['is otherwise', stored({ spec: { rules: [] } }), stored({ spec }), { act: 'change' }],
    [
      'would keep a condition of somebody else',
      stored({ spec: { ...spec, matchConditions: [{ name: 'never', expression: 'false' }] } }),
      stored({ spec: { ...spec, matchConditions: [{ name: 'never', expression: 'false' }] } }),
      { act: 'leave', why: expect.stringContaining('spec.matchConditions') },
    ],
    [
      'would keep a selector that nothing fits',
      undefined,
      stored({ spec: { ...spec, objectSelector: { matchLabels: { no: 'body' } } } }),
      { act: 'leave', why: expect.stringContaining('spec.objectSelector') },
    ],
    ['is being deleted', stored({ spec }, { isGoing: true }), stored({ spec }), { act: 'leave' }],
  ])('that %s', (_, now, would, expected) => {
    expect(objectFor(manifest, now, would)).toMatchObject({ on: 'object', kind: 'Policy', name: 'p', ...expected })
  })

  const [mine, kubectl] = [
    { name: 'calico-ipvs-sync', applies: true },
    { name: 'kubectl-edit', applies: false },
  ]
  test.each([
    ['made by grant alone', [mine], { act: 'delete', uid: 'u', resourceVersion: '1' }],
    ['and written by somebody as well', [mine, kubectl], { act: 'leave', why: 'kubectl-edit wrote it as well' }],
    ['made by somebody', [kubectl], { act: 'leave', why: expect.stringContaining('was not created by grant') }],
    ['of which its creator is not known', [], { act: 'leave', why: expect.stringContaining('not known') }],
  ])('%s, when it is taken away', (_, managers, expected) => {
    expect(objectWithout(manifest, stored({ spec }, { managers }))).toMatchObject(expected)
  })
})
