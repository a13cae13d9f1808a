import { describe, expect, test } from '@jest/globals'
import { type ContextParts, type EksHint, eksHint } from '../../shared/clients/kubeconfig/eks.ts'

const endpoint = 'https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com'
const vpn = 'https://prod.internal.example:6443'
const role = 'arn:aws:iam::111122223333:role/admin'
const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
const account = '111122223333'
const region = 'eu-west-1'

const hint = (parts: Partial<ContextParts>) =>
  eksHint({ context: 'mine', cluster: 'mine', server: vpn, exec: {}, ...parts })
const plugin = (command: string, args: string[], env: Record<string, string> = {}): Partial<ContextParts> => ({
  exec: { command, args, env: Object.entries(env).map(([name, value]) => ({ name, value })) },
})
const aws = (args: string, env?: Record<string, string>) => plugin('aws', args.split(' '), env)
const authenticator = (args: string, env?: Record<string, string>) =>
  plugin('aws-iam-authenticator', args.split(' '), env)

describe('the plugin of the AWS command line', () => {
  test.each<[string, Partial<ContextParts>, EksHint]>([
    [
      'as update-kubeconfig writes it',
      aws('--region eu-west-1 eks get-token --cluster-name prod --output json'),
      { name: 'prod', region },
    ],
    [
      'with all options',
      aws(`eks get-token --cluster-name prod --region eu-west-1 --role-arn ${role} --profile work`),
      { name: 'prod', region, roleArn: role, profile: 'work' },
    ],
    [
      'with = between name and value',
      aws(`--profile=work eks get-token --cluster-name=prod --region=eu-west-1 --role-arn=${role}`),
      { name: 'prod', region, roleArn: role, profile: 'work' },
    ],
    [
      'its environment',
      aws('eks get-token --cluster-name prod', { AWS_PROFILE: 'work', AWS_REGION: region }),
      { name: 'prod', region, profile: 'work' },
    ],
    [
      'the older variable',
      aws('eks get-token --cluster-name prod', { AWS_DEFAULT_REGION: region }),
      { name: 'prod', region },
    ],
    [
      'an option above the environment',
      aws('eks get-token --cluster-name prod --profile work', { AWS_PROFILE: 'home', AWS_REGION: region }),
      { name: 'prod', region, profile: 'work' },
    ],
    [
      'keys of its own',
      aws('eks get-token --cluster-name prod', {
        AWS_ACCESS_KEY_ID: 'AKIA1',
        AWS_SECRET_ACCESS_KEY: 's',
        AWS_REGION: region,
      }),
      { name: 'prod', region, keys: { accessKeyId: 'AKIA1', secretAccessKey: 's' } },
    ],
    [
      'files of its own',
      aws('eks get-token --cluster-name prod --profile work', {
        AWS_CONFIG_FILE: '/c',
        AWS_SHARED_CREDENTIALS_FILE: '/d',
      }),
      { name: 'prod', profile: 'work', files: { configFilepath: '/c', filepath: '/d' } },
    ],
    ['an option given twice: the last', aws('eks get-token --cluster-name a --cluster-name prod'), { name: 'prod' }],
    ['no region', aws('eks get-token --cluster-name prod'), { name: 'prod' }],
    ['a region that is none', aws('eks get-token --cluster-name prod --region evil.example/#'), { name: 'prod' }],
    ['by a path', plugin('/usr/local/bin/aws', ['eks', 'get-token', '--cluster-name', 'prod']), { name: 'prod' }],
    [
      'on Windows',
      plugin(String.raw`C:\aws\aws.exe`, ['eks', 'get-token', '--cluster-name', 'prod']),
      { name: 'prod' },
    ],
    [
      'behind aws-vault',
      plugin('aws-vault', 'exec work -- aws eks get-token --cluster-name prod --region eu-west-1'.split(' ')),
      { name: 'prod', region },
    ],
    [
      'behind env',
      plugin('env', 'AWS_PROFILE=work aws eks get-token --cluster-name prod --region eu-west-1'.split(' ')),
      { name: 'prod', region, profile: 'work' },
    ],
    [
      'in a shell',
      plugin('sh', ['-c', "AWS_PROFILE=work aws eks get-token --cluster-name 'prod' --region eu-west-1"]),
      { name: 'prod', region, profile: 'work' },
    ],
    [
      "the endpoint's region is above the options'",
      { ...aws('eks get-token --cluster-name prod --region us-east-1'), server: endpoint },
      { name: 'prod', region },
    ],
  ])('%s', (_, parts, expected) => expect(hint(parts)).toEqual(expected))
})

describe('the authenticator', () => {
  test.each<[string, Partial<ContextParts>, EksHint]>([
    ['-i', authenticator('token -i prod'), { name: 'prod', doubtful: true }],
    ['-i=', authenticator('token -i=prod'), { name: 'prod', doubtful: true }],
    ['-iNAME', authenticator('token -iprod'), { name: 'prod', doubtful: true }],
    ['--cluster-id', authenticator('token --cluster-id prod'), { name: 'prod', doubtful: true }],
    ['--cluster-id=', authenticator('token --cluster-id=prod'), { name: 'prod', doubtful: true }],
    ['-r', authenticator(`token -i prod -r ${role}`), { name: 'prod', roleArn: role, doubtful: true }],
    ['--role=', authenticator(`token -i prod --role=${role}`), { name: 'prod', roleArn: role, doubtful: true }],
    ['at an endpoint of EKS', { ...authenticator('token -i prod'), server: endpoint }, { name: 'prod', region }],
    [
      'under its old name',
      plugin('heptio-authenticator-aws', ['token', '-i', 'prod'], { AWS_PROFILE: 'work' }),
      { name: 'prod', profile: 'work', doubtful: true },
    ],
  ])('%s', (_, parts, expected) => expect(hint(parts)).toEqual(expected))
})

describe('as eksctl writes it', () => {
  const names = { context: 'me@prod.eu-west-1.eksctl.io', cluster: 'prod.eu-west-1.eksctl.io', server: endpoint }
  const env = { AWS_STS_REGIONAL_ENDPOINTS: 'regional', AWS_PROFILE: 'work' }

  test.each<[string, Partial<ContextParts>, EksHint]>([
    ['by its names alone', names, { name: 'prod', region }],
    ['by its names alone, at a private name', { ...names, server: vpn }, { name: 'prod', region }],
    ['by the context’s name alone', { ...names, server: vpn, cluster: 'c' }, { name: 'prod', region }],
    [
      'with aws',
      { ...names, ...aws('eks get-token --output json --cluster-name prod --region eu-west-1', env) },
      { name: 'prod', region, profile: 'work' },
    ],
    [
      'with the authenticator',
      { ...names, ...authenticator('token -i prod', env) },
      { name: 'prod', region, profile: 'work' },
    ],
  ])('%s', (_, parts, expected) => expect(hint(parts)).toEqual(expected))
})

describe('named by ARN', () => {
  test('the cluster, with whom its plugin asks as', () => {
    const parts = { cluster: arn, ...aws(`--region ${region} eks get-token --cluster-name prod --profile work`) }
    expect(hint(parts)).toEqual({ name: 'prod', arn, account, region, profile: 'work' })
  })
  test('the context', () => expect(hint({ context: arn })).toEqual({ name: 'prod', arn, account, region }))
})

describe('by its endpoint only a region is known', () => {
  test.each([
    [endpoint, 'eu-west-1'],
    [`${endpoint}:443/`, 'eu-west-1'],
    ['https://0123ABCD.yl4.cn-north-1.eks.amazonaws.com.cn', 'cn-north-1'],
    ['https://0123ABCD.sk1.eusc-de-east-1.eks.amazonaws.eu', 'eusc-de-east-1'],
    ['https://0123ABCD.gr7.us-gov-west-1.eks.amazonaws.com', 'us-gov-west-1'],
    ['https://0123ABCD.gr7.us-west-2.api.aws', 'us-west-2'],
  ])('%s', (server, expected) => expect(hint({ server })).toEqual({ region: expected }))
})

describe('nothing says that it is EKS’s', () => {
  test.each<[string, Partial<ContextParts>]>([
    ['a name of no meaning', {}],
    ['an address that only looks like it', { server: 'https://eks.amazonaws.com.evil.example' }],
    ['an address in the domain of another partition', { server: 'https://0123ABCD.gr7.cn-north-1.eks.amazonaws.com' }],
    ['another plugin', plugin('kubelogin', ['get-token', '--cluster-name', 'prod'])],
    ['another command of the AWS command line', aws('sts get-caller-identity --cluster-name prod')],
    ['a plugin without a name', aws('eks get-token')],
    ['a name that no cluster of EKS can have', authenticator('token -i kops.example')],
    ['a name with more than a name in it', plugin('aws', ['eks', 'get-token', '--cluster-name', 'a\u001b[31m'])],
    ['an option without a value', aws('eks get-token --cluster-name')],
    ['arguments that are none', { exec: { command: 'aws', args: 'eks get-token' } }],
    ['an address that is none', { server: 'prod' }],
  ])('%s', (_, parts) => expect(hint(parts)).toBeUndefined())
})
