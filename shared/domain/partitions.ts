/** Credentials, host names and consoles of one partition of AWS are of no use in another. */
interface Partition {
  name: string
  /** Its regions begin with it. */
  prefix: string
  /** Of the endpoints of its services. */
  domain: string
  /** Of the endpoints that have IPv6 as well. Absent: the verifier of tokens knows none there. */
  ipv6?: string
  /** The region of its services that are one in the whole partition, such as AWS Organizations. */
  global: string
  /** Of its console, after the region. Absent: AWS documents none, and no link is better than a wrong one. */
  console?: string
}

/**
 * Names, domains and regions as in the SDK's list; a test compares them. The verifier of tokens rejects a host of another domain
 * (aws-iam-authenticator, pkg/endpoints/partitions.go). Consoles: aws-cli, awscli/customizations/console.py.
 */
const partitions: readonly Partition[] = [
  {
    name: 'aws-cn',
    prefix: 'cn-',
    domain: 'amazonaws.com.cn',
    ipv6: 'api.amazonwebservices.com.cn',
    global: 'cn-northwest-1',
    console: 'console.amazonaws.cn',
  },
  {
    name: 'aws-us-gov',
    prefix: 'us-gov-',
    domain: 'amazonaws.com',
    ipv6: 'api.aws',
    global: 'us-gov-west-1',
    console: 'console.amazonaws-us-gov.com',
  },
  {
    name: 'aws-eusc',
    prefix: 'eusc-',
    domain: 'amazonaws.eu',
    ipv6: 'api.amazonwebservices.eu',
    global: 'eusc-de-east-1',
    console: 'console.amazonaws-eusc.eu',
  },
  { name: 'aws-iso', prefix: 'us-iso-', domain: 'c2s.ic.gov', global: 'us-iso-east-1' },
  { name: 'aws-iso-b', prefix: 'us-isob-', domain: 'sc2s.sgov.gov', global: 'us-isob-east-1' },
  { name: 'aws-iso-e', prefix: 'eu-isoe-', domain: 'cloud.adc-e.uk', global: 'eu-isoe-west-1' },
  { name: 'aws-iso-f', prefix: 'us-isof-', domain: 'csp.hci.ic.gov', global: 'us-isof-south-1' },
]

/** Of all other regions: `eu-west-1`. */
const commercial: Partition = {
  name: 'aws',
  prefix: '',
  domain: 'amazonaws.com',
  ipv6: 'api.aws',
  global: 'us-east-1',
  console: 'console.aws.amazon.com',
}

const partitionAt = (region: string): Partition =>
  partitions.find(({ prefix }) => region.startsWith(prefix)) ?? commercial

/** As in ARNs: `aws`, `aws-cn`. */
export const partitionOf = (region: string): string => partitionAt(region).name

/** Where a service that is one in the whole partition is called. */
export const globalRegion = (region: string): string => partitionAt(region).global

/** Of a service in a region, in its partition's domain. */
export const serviceHost = (service: string, region: string): string =>
  `${service}.${region}.${partitionAt(region).domain}`

/**
 * The region in the host name of a cluster's endpoint: `0123ABCD.gr7.eu-west-1.eks.amazonaws.com`. `undefined`: the name is not
 * one of EKS in the domains of that region's partition.
 */
export const regionOfEndpoint = (host: string): string | undefined => {
  const labels = host.split('.')
  return labels.find((region, at) => {
    const { domain, ipv6 } = partitionAt(region)
    return at > 0 && isRegion.test(region) && [`eks.${domain}`, ipv6].includes(labels.slice(at + 1).join('.'))
  })
}

const isRegion = /^[a-z]{2,}(?:-[a-z]+)+-\d+$/

/** `undefined`: no AWS region, or its partition's console is not known. */
export const consoleHost = (region: string): string | undefined => {
  const { name, console } = partitionAt(region)
  const isShort = /^[a-z]{2,5}(-[a-z]+)+-\d$/.test(region)
  // A region with more parts is of a partition that is not listed above.
  const isListed = name !== commercial.name || region.split('-').length === 3
  return console && isShort && isListed ? `${region}.${console}` : undefined
}
