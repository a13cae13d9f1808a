import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { spokeTemplate } from '../../shared/domain/spoke/template.ts'
import { runHere as run } from './here.ts'

const hub = ['--hub-account', '111122223333', '--hub-region', 'eu-west-1']

describe('spoke-template', () => {
  test('prints the template with the hub filled in, and the external id that the hub shows by default', async () => {
    const { status, stdout, stderr } = await run(['spoke-template', ...hub])
    expect([status, stderr]).toEqual([0, ''])
    const named = { hubAccount: '111122223333', hubRegion: 'eu-west-1', externalId: 'calico-ipvs-sync-111122223333' }
    expect(parse(stdout)).toEqual(JSON.parse(JSON.stringify(spokeTemplate(named))))
    // What CloudFormation takes in a request; a larger one would need a bucket.
    expect(Buffer.byteLength(stdout)).toBeLessThan(51_200)
  })

  test('is read the same by a reader of YAML 1.1, to which a bare yes is a truth value', async () => {
    const { stdout } = await run(['spoke-template', ...hub])
    const old = parse(stdout, { version: '1.1' }) as { Parameters: { Changes: object } }
    expect(old.Parameters.Changes).toMatchObject({ AllowedValues: ['yes', 'no'], Default: 'yes' })
    expect(old).toEqual(parse(stdout))
  })

  test('without options leaves the hub to be given when it is applied', async () => {
    const { stdout } = await run(['spoke-template', '-o', 'json'])
    const { Parameters } = JSON.parse(stdout) as { Parameters: Record<string, object> }
    const open = Object.entries(Parameters).flatMap(([name, it]) => ('Default' in it ? [] : [name]))
    expect(open).toEqual(['HubAccount', 'HubRegion', 'ExternalId', 'RolesRegion'])
  })

  test('takes what else may be said', async () => {
    const more = [
      '--no-changes',
      '--external-id',
      'ours',
      '--roles-region',
      'us-east-1',
      '--deployment',
      'calico-ipvs-sync-Trial',
    ]
    const { stdout } = await run(['spoke-template', ...hub, ...more, '-o', 'json'])
    const { Parameters } = JSON.parse(stdout) as { Parameters: Record<string, { Default: string }> }
    expect(Object.values(Parameters).map(({ Default }) => Default)).toEqual([
      '111122223333',
      'eu-west-1',
      'ours',
      'calico-ipvs-sync-Trial',
      'us-east-1',
      'no',
      '',
    ])
  })

  test.each([
    ['half a hub', ['--hub-account', '111122223333'], /--hub-account and --hub-region belong together/],
    ['an account that is none', ['--hub-account', '12', '--hub-region', 'eu-west-1'], /--hub-account/],
    ['a region that is none', ['--hub-account', '111122223333', '--hub-region', 'Ireland'], /--hub-region/],
    ['an external id that STS refuses', [...hub, '--external-id', 'a b'], /--external-id/],
  ])('%s is a wrong command line', async (_, words, said) => {
    const { status, stdout, stderr } = await run(['spoke-template', ...words])
    expect([status, stdout]).toEqual([64, ''])
    expect(stderr).toMatch(said)
  })
})
