import { expect, test } from '@jest/globals'
import { deployment, everything } from '../infra/deployment.ts'
import { parsed, printedIn, stringsIn } from './printed.ts'

test('of commands the deployment prints two, which let its roles in and make its spokes: alarms name the chapter of the runbook', () => {
  const printed = printedIn(stringsIn(deployment(everything)))
  expect(printed.map(({ words: [program, command] }) => [program, command])).toEqual([
    ['calico-ipvs-sync', 'grant'],
    ['calico-ipvs-sync', 'spoke-template'],
  ])
  const [viewerRole, operatorRole] = ['evaluate', 'rollout-step'].map((it) =>
    expect.stringContaining(`/calico-ipvs-sync-${it}`),
  )
  expect(printed.map(({ words }) => parsed(words.slice(1)).options)).toMatchObject([
    { cluster: everything.clusters, region: ['eu-west-1'], viewerRole, operatorRole },
    { hubAccount: '111122223333', hubRegion: 'eu-west-1', externalId: 'calico-ipvs-sync-111122223333' },
  ])
})
