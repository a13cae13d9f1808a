import { expect, test } from '@jest/globals'
import { RegionInfo } from 'aws-cdk-lib/region-info'
import { consoleHost, globalRegion, partitionOf, serviceHost } from '../../shared/domain/partitions.ts'

/** All that the CDK knows, of every partition. */
const { regions } = RegionInfo

test('each region is of the partition and has the domain that the CDK says', () => {
  expect(new Set(regions.map(({ partition }) => partition)).size).toBe(8)
  expect(regions.map(({ name }) => [name, partitionOf(name), serviceHost('sts', name)])).toEqual(
    regions.map(({ name, partition, domainSuffix }) => [name, partition, `sts.${name}.${domainSuffix}`]),
  )
})

test('what is one in a partition is in a region of that partition', () => {
  const known = regions.map(({ name }) => name)
  for (const name of known) {
    expect(known).toContain(globalRegion(name))
    expect(partitionOf(globalRegion(name))).toBe(partitionOf(name))
  }
})

/** As `aws console` of the AWS CLI has them (awscli/customizations/console.py), which refuses all other partitions. */
const consoles: Record<string, string> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
  'aws-eusc': 'console.amazonaws-eusc.eu',
}

test('each region has the console of its partition, or none where none is documented', () => {
  for (const { name, partition = '' } of regions)
    expect([name, consoleHost(name)]).toEqual([name, consoles[partition] && `${name}.${consoles[partition]}`])
})

test.each(['ap-isog-east-1', 'us-new-east-1', 'evil.example/', 'EU-WEST-1', ''])(
  '%j, of a partition that is not known or no region at all, has no console',
  (name) => expect(consoleHost(name)).toBeUndefined(),
)
