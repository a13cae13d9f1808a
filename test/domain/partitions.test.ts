import { expect, test } from '@jest/globals'
import { RegionInfo } from 'aws-cdk-lib/region-info'
import {
  consoleHost,
  globalRegion,
  partitionOf,
  regionOfEndpoint,
  serviceHost,
} from '../../shared/domain/partitions.ts'

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

/** Of endpoints with IPv6 as well, as the verifier of tokens has them (aws-iam-authenticator, pkg/endpoints/partitions.go). */
const ipv6: Record<string, string> = {
  aws: 'api.aws',
  'aws-cn': 'api.amazonwebservices.com.cn',
  'aws-us-gov': 'api.aws',
  'aws-eusc': 'api.amazonwebservices.eu',
}

test('the region of an endpoint of EKS is found in the domains of its partition alone', () => {
  for (const { name, partition = '', domainSuffix } of regions)
    for (const domain of [`eks.${domainSuffix}`, ...(ipv6[partition] ? [ipv6[partition]] : [])]) {
      expect([name, regionOfEndpoint(`0123ABCD.gr7.${name}.${domain}`)]).toEqual([name, name])
      expect(regionOfEndpoint(`0123ABCD.gr7.${name}.${domain}.example`)).toBeUndefined()
      expect(regionOfEndpoint(`${name}.${domain}`)).toBeUndefined()
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
