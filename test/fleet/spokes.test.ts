import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseFields } from '../../lab/aws/json.ts'
import { roleName } from '../../shared/domain/fleet-names.ts'
import { assemble } from '../flow/assemble.ts'
import { sendEach } from '../verify/fleet/events.ts'
import {
  accounts,
  type FleetStage,
  fleetConfig,
  hub,
  nameIn,
  places,
  raiseFleet,
  regions,
} from '../verify/fleet/stage.ts'

/** A hub and two spokes, through both templates as synthesized: three accounts, two regions. */
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-spokes-'))
let stage: FleetStage

const away = { account: accounts[1], region: regions[1] }
const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations/default'
const annotation = 'config.projectcalico.org/KubeNodePortRanges'

beforeAll(async () => {
  stage = await raiseFleet(
    await assemble(folder, { ...fleetConfig, policy: { action: 'sync', canarySeconds: 1, settleSeconds: 1 } }),
  )
}, 300_000)
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const lines = (service: string, message: string) =>
  stage.moments.flatMap((it) => {
    const line = it.kind === 'log' ? parseFields(it.line) : undefined
    return line?.['service'] === service && line['message'] === message ? [line] : []
  })

test('a sweep looks at every cluster of every account and region, and each is put in step by the roles of its own account', async () => {
  stage.cloud.fire()
  await stage.cloud.idle({ timeoutMilliseconds: 400_000 })
  for (const place of places) {
    const object = (await stage.clusters.get(nameIn(place))?.request('GET', felix)) as {
      metadata: { annotations?: Record<string, string> }
    }
    expect([nameIn(place), object.metadata.annotations?.[annotation]]).toEqual([nameIn(place), '20000:32767'])
  }
  expect(stage.cloud.faults).toEqual([])
}, 500_000)

describe('an event of another account and region', () => {
  test('of each kind leads to exactly the look that it should, or to none', async () => {
    const outcomes = await sendEach(stage, away)
    expect(outcomes.length).toBeGreaterThan(55)
    expect(outcomes.map(({ what, asked }) => ({ what, asked }))).toEqual(
      outcomes.map(({ what, expected }) => ({ what, asked: expected })),
    )
  }, 500_000)

  test('of an account that is not in the fleet is heard by nobody', async () => {
    const before = lines('on-event', 'event').length
    const detail = {
      eventSource: 'eks.amazonaws.com',
      eventName: 'UpdateAddon',
      readOnly: false,
      requestParameters: { name: 'x' },
    }
    stage.cloud.emit({ ...envelope, account: '999999999999', detail })
    await stage.cloud.idle()
    expect(lines('on-event', 'event')).toHaveLength(before)
  }, 60_000)

  test('that speaks of a cluster of yet another account is counted and dropped', async () => {
    const before = lines('on-event', 'not in the fleet').length
    const resources = [`arn:aws:eks:${hub.region}:999999999999:addon/victim/kube-proxy/1`]
    const detail = { addonName: 'kube-proxy' }
    stage.cloud.emit({ ...envelope, 'detail-type': 'EKS Addon Update Succeeded', ...away, resources, detail })
    await stage.cloud.idle()
    expect(lines('on-event', 'not in the fleet').length).toBe(before + 1)
  }, 60_000)
})

describe('the roles of a spoke', () => {
  test('are taken by the functions that they trust and by no other', () => {
    const taken = stage.moments.filter(
      (it) => it.kind === 'call' && it.service === 'sts' && it.operation === 'AssumeRole',
    )
    expect(taken.length).toBeGreaterThan(0)
    const ids = ['calico-ipvs-sync-111122223333', 'somebody-else', undefined]
    const may = (caller: string, kind: 'viewer' | 'operator', id: string | undefined) =>
      stage.mayAssume(
        `arn:aws:sts::${hub.account}:assumed-role/calico-ipvs-sync-${caller}/x`,
        `arn:aws:iam::${away.account}:role/${roleName('calico-ipvs-sync', kind)}`,
        id,
      )
    expect(ids.map((id) => may('evaluate', 'viewer', id))).toEqual([true, false, false])
    expect(ids.map((id) => may('rollout-step', 'operator', id))).toEqual([true, false, false])
    for (const [caller, kind] of [
      ['evaluate', 'operator'],
      ['sweep', 'operator'],
      ['on-event', 'viewer'],
    ] as const)
      expect([caller, kind, may(caller, kind, ids[0])]).toEqual([caller, kind, false])
  })
})

const envelope = {
  version: '0' as const,
  id: '7a1e6e1c-0000-4000-8000-000000000001',
  'detail-type': 'AWS API Call via CloudTrail',
  source: 'aws.eks',
  time: '2026-11-20T10:11:12Z',
  region: hub.region,
  account: hub.account,
  resources: [],
  detail: {},
}
