import { expect, test } from '@jest/globals'
import { planText } from '../../cli/grant/show.ts'
import type { Row } from '../../cli/grant/row.ts'

const role = `arn:aws:iam::111122223333:role/${'platform-'.repeat(6)}viewer`
const place = { cluster: { name: 'prod-1', account: '111122223333', region: 'eu-west-1', context: 'prod-1' } }
const policy = `aws iam put-role-policy --role-name ROLE --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["eks:ListClusters","eks:DescribeCluster"]}]}'`
const rows: Row[] = [
  {
    place,
    acts: [
      { on: 'entry', act: 'create', principalArn: role, groups: ['calico-ipvs-sync-viewers'] },
      { on: 'trouble', act: 'failed', what: 'access entries', why: 'it may not be done '.repeat(6), next: policy },
    ],
  },
]

test('on a terminal nothing is wider than it, but a word that cannot be parted; elsewhere lines stay whole', () => {
  const lines = planText(rows, 80).split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  const paste = lines.slice(lines.findIndex((line) => line.includes('aws iam'))).join('\n')
  expect(
    paste
      .replaceAll(/ ?\\?\n\s*/g, ' ')
      .replaceAll(/(?<=[,[{:]) /g, '')
      .trim(),
  ).toBe(policy)
  expect(planText(rows).split('\n')).toHaveLength(5)
})
