import { expect, test } from '@jest/globals'
import { carryOut } from '../../cli/grant/carry-out.ts'
import type { Opened, Wish } from '../../cli/grant/plan.ts'
import type { Act } from '../../cli/grant/row.ts'
import type { AccessEntry } from '../../shared/domain/grant/entries.ts'
import { groups, madeKey } from '../../shared/domain/grant/groups.ts'
import { failed, read } from '../../shared/domain/read.ts'

/** Between the question and its answer an hour may pass, and a process may end after any write. */
const principalArn = 'arn:aws:iam::111122223333:role/x'
const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
const described = (createdAt: string) => ({
  state: { arn, createdAt, status: 'ACTIVE', autoMode: false, tags: {}, updates: read([]) },
  endpoint: { server: 'https://prod', caData: '', tokenFor: 'prod' },
  authenticationMode: 'API',
})
const entry = (its: string[]): AccessEntry => ({ principalArn, arn: 'entry', groups: its, type: 'STANDARD', tags: {} })

interface World {
  now?: string
  there?: AccessEntry | undefined
  refuses?: string
}

const world = ({ now = '2026-01-01', there, refuses }: World = {}) => {
  const done: string[] = []
  const write = async (text: string) => {
    if (text === refuses) return { kind: 'denied' as const, object: `eks:${text}`, message: 'no', status: 403 }
    done.push(text)
    return undefined
  }
  const opened = {
    name: 'prod',
    place: { cluster: { name: 'prod', region: 'eu-west-1', arn } },
    eks: described('2026-01-01'),
    access: { eks: { describe: async () => read(described(now)) } },
    wanted: [{ principalArn, group: groups.viewers }],
    entries: {
      describe: async () => read(there),
      create: (_: string, { tags }: { tags: Record<string, string> }) => write(`create ${tags[madeKey]}`),
      tag: (_: string, tags: Record<string, string>) => write(`tag ${tags[madeKey]}`),
      setGroups: (_: string, it: { groups: string[] }) => write(`groups ${it.groups.join()}`),
      policies: async () => failed({ kind: 'denied', object: 'eks:ListAssociatedAccessPolicies', message: 'no' }),
      remove: () => write('remove'),
    },
    close: () => {},
  } as unknown as Opened
  return { opened, done }
}
const wish: Wish = { manifests: [] }
const create: Act = { on: 'entry', act: 'create', principalArn, groups: [groups.viewers] }
const change: Act = {
  on: 'entry',
  act: 'change',
  principalArn,
  arn: 'entry',
  before: ['a'],
  groups: ['a', groups.viewers],
  mark: 'extended',
}
const carriedOut = async ({ opened }: ReturnType<typeof world>, act: Act) =>
  (await carryOut(opened, { place: opened.place, acts: [act] }, wish, () => {})).acts

test('what was agreed to is done', async () => {
  const it = world()
  expect(await carriedOut(it, create)).toEqual([create])
  expect(it.done).toEqual(['create created'])
})

test('a cluster that was made again under its name since is another one: nothing is done', async () => {
  const it = world({ now: '2026-02-02' })
  expect(await carriedOut(it, create)).toMatchObject([
    { act: 'failed', why: expect.stringContaining('another cluster') },
  ])
  expect(it.done).toEqual([])
})

test('an entry that has changed since it was shown is not touched', async () => {
  for (const [there, act] of [
    [entry(['b']), create],
    [entry(['b']), change],
    [undefined, change],
  ] as const) {
    const it = world({ there })
    expect(await carriedOut(it, act)).toMatchObject([{ act: 'left', why: expect.stringContaining('run this again') }])
    expect(it.done).toEqual([])
  }
})

test('an entry of somebody else is marked before our group is added: what is there is always known to be ours', async () => {
  const it = world({ there: entry(['a']) })
  await carriedOut(it, change)
  expect(it.done).toEqual(['tag extended', `groups a,${groups.viewers}`])
  const denied = world({ there: entry(['a']), refuses: 'tag extended' })
  expect(await carriedOut(denied, change)).toMatchObject([{ act: 'failed', why: expect.stringContaining('eks:tag') }])
  expect(denied.done).toEqual([])
})

test('where its policies may not be asked for, an entry of ours is emptied and not deleted', async () => {
  const ours = { ...entry([groups.viewers]), tags: { [madeKey]: 'created' } }
  const it = world({ there: ours })
  const act: Act = { on: 'entry', act: 'change', principalArn, arn: 'entry', before: ours.groups, groups: [] }
  const { acts } = await carryOut(
    it.opened,
    { place: it.opened.place, acts: [act] },
    { ...wish, remove: true },
    () => {},
  )
  expect([acts, it.done]).toEqual([[act], ['groups ']])
})

test('where a part of the guard could not be made, nobody is let in who may change the cluster', async () => {
  const it = world()
  const failing: Act = { on: 'trouble', act: 'failed', what: 'ValidatingAdmissionPolicy x', why: 'no' }
  const operators: Act = { on: 'entry', act: 'create', principalArn: `${principalArn}-o`, groups: [groups.operators] }
  const binding: Act = { on: 'object', act: 'create', kind: 'ClusterRoleBinding', name: groups.operators }
  const acts = [failing, binding, create, operators]
  const guard = { apiVersion: 'v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: 'x' } }
  const guarded = { manifests: [guard] }
  const { acts: done } = await carryOut(it.opened, { place: it.opened.place, acts }, guarded, () => {})
  expect(done.map(({ act }) => act)).toEqual(['failed', 'left', 'create', 'left'])
  expect(done[3]).toMatchObject({ why: expect.stringContaining('ValidatingAdmissionPolicy x is not as it must be') })
  expect(it.done).toEqual(['create created'])
})
