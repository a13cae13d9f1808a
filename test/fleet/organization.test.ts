import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Cloud, startCloud } from '../../lab/aws/cloud.ts'
import { parseFields } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { assemble } from '../flow/assemble.ts'
import { delays } from '../flow/place.ts'
import { nextSecond } from '../until.ts'

/** Accounts that each sweep finds, through the synthesized template. No cluster lets us in: what is shown is who is looked at. */
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-organization-'))
const [own, prod, late, suspended, test2] = [
  '111122223333',
  '222233334444',
  '333344445555',
  '444455556666',
  '555566667777',
]
const [root, unit, below] = ['r-ab12', 'ou-ab12-34cd56ef', 'ou-ab12-0000below']
const settings = {
  organizationId: 'o-a1b2c3d4e5',
  organization: { units: [unit], leaveOut: ['666677778888'] },
  policy: { action: 'report' },
}
const moments: Moment[] = []
let cloud: Cloud
let shut: LabCluster

beforeAll(async () => {
  shut = await startEmbedded({
    name: 'shut',
    workdir: folder,
    kubernetesVersion: 'v1.35.2',
    authenticate: async () => undefined,
  })
  cloud = await startCloud({
    account: own,
    region: 'eu-west-1',
    assemblyDir: await assemble(folder, settings),
    timeScale: 1 / 200,
    delays,
    onMoment: (moment) => void moments.push(moment),
    organization: {
      units: { [root]: undefined, [unit]: root, [below]: unit },
      accounts: [
        { id: own, parent: root },
        { id: prod, parent: below },
        { id: suspended, parent: unit, state: 'SUSPENDED' },
        { id: test2, parent: root },
        { id: '666677778888', parent: unit },
      ],
    },
    eks: {
      clusters: [own, prod, late, suspended, test2, '666677778888'].map((account) => ({
        name: `c-${account.slice(0, 4)}`,
        account,
        region: 'eu-west-1',
        version: '1.35',
        endpoint: shut.server,
        caData: shut.caData,
      })),
    },
  })
}, 300_000)
afterAll(async () => {
  await cloud?.stop()
  await shut?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const lines = (service: string, message: string, from = 0) =>
  moments.slice(from).flatMap((it) => {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    return line?.['service'] === service && line['message'] === message ? [line] : []
  })

/** The accounts whose clusters one sweep looks at. A sweep's id has whole seconds. */
const sweep = async (): Promise<string[]> => {
  await nextSecond()
  const from = moments.length
  cloud.fire('Schedule')
  await cloud.idle({ timeoutMilliseconds: 200_000 })
  return [...new Set(lines('evaluate', 'assessed', from).map((line) => String(line['account'])))].toSorted()
}

const heard = async (account: string) => {
  const from = moments.length
  const detail = {
    eventSource: 'eks.amazonaws.com',
    eventName: 'UpdateAddon',
    readOnly: false,
    recipientAccountId: account,
    requestParameters: { name: `c-${account.slice(0, 4)}`, addonName: 'kube-proxy' },
  }
  cloud.putEvent(
    {
      version: '0',
      id: 'e',
      source: 'aws.eks',
      'detail-type': 'AWS API Call via CloudTrail',
      account,
      region: 'eu-west-1',
      time: '2026-11-29T10:00:00Z',
      resources: [],
      detail,
    },
    'calico-ipvs-sync',
  )
  await cloud.idle({ timeoutMilliseconds: 100_000 })
  return {
    asked: lines('on-event', 'event', from).length,
    dropped: lines('on-event', 'not in the fleet', from).length,
    looks: lines('evaluate', 'assessed', from).length,
  }
}

test('a sweep looks at the accounts of the unit and of the units below, at no others, and at the own one of the configuration', async () => {
  expect(await sweep()).toEqual([own, prod])
}, 250_000)

test('an event of an account that was found leads to a look, one of an account that was not is counted and dropped', async () => {
  expect(await heard(prod)).toMatchObject({ asked: 1, dropped: 0, looks: 1 })
  for (const account of [late, test2, suspended, '666677778888'])
    expect([account, await heard(account)]).toMatchObject([account, { asked: 0, dropped: 1, looks: 0 }])
}, 250_000)

test('an account that joins is found by the next sweep, and heard from then on', async () => {
  cloud.organizations.accounts.push({ id: late, parent: unit })
  expect(await sweep()).toEqual([own, prod, late])
  expect(await heard(late)).toMatchObject({ asked: 1, dropped: 0, looks: 1 })
}, 250_000)

test('an organization that cannot be read leaves the fleet as it was, and the failure is a line that an alarm counts', async () => {
  cloud.organizations.refuse({ code: 'AccessDeniedException', status: 400, times: 1_000 })
  expect(await sweep()).toEqual([own, prod, late])
  expect(lines('sweep', 'the organization cannot be read')).toMatchObject([
    { kind: 'denied', accounts: 2, message: 'the organization cannot be read' },
  ])
  cloud.organizations.refuse({ code: '', status: 200, times: 0 })
}, 250_000)

test('of an organization that throttles every account is found all the same', async () => {
  cloud.organizations.refuse({ code: 'TooManyRequestsException', status: 400, times: 2 })
  expect(await sweep()).toEqual([own, prod, late])
}, 250_000)

test('accounts that leave are not looked at any more, and a fleet that shrank by more than a tenth is a line that an alarm counts', async () => {
  cloud.organizations.accounts.splice(0, Infinity, { id: own, parent: root })
  const from = moments.length
  expect(await sweep()).toEqual([own])
  expect(lines('list-clusters', 'the fleet has shrunk', from)).toMatchObject([{ before: 3, clusters: 1 }])
}, 250_000)

test('no message was lost, and nothing in the lab went wrong', async () => {
  for (const queue of ['EventsDeadLetters', 'EvaluationsDeadLetters', 'PlacesDeadLetters', 'SweepDeadLetters'])
    expect([queue, await cloud.messages(queue)]).toEqual([queue, []])
  expect(cloud.faults).toEqual([])
})
