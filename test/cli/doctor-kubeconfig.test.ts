import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { createAuthority } from '../../lab/pki.ts'
import { remedyParts } from '../../shared/domain/remedy-parts.ts'
import { runHere as run } from './here.ts'

/** What doctor says of a kubeconfig that is wrong in itself: no server is needed to see it. */
const folder = mkdtempSync(join(tmpdir(), 'doctor-kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true }))

const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
const ca = Buffer.from((await createAuthority('ca')).certPem).toString('base64')
const missing = join(folder, 'missing')

let written = 0
/** Nothing listens there. */
const kubeconfig = ({ cluster = {}, user = { token: 't' }, name = 'c' }: Given): string => {
  const file = join(folder, `config-${(written += 1)}`)
  const document = {
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: 'u' } }],
    clusters: [{ name, cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': ca, ...cluster } }],
    users: [{ name: 'u', user }],
  }
  writeFileSync(file, JSON.stringify(document))
  return file
}

/** A program by that name, which says something and fails. */
const failing = (name: string, status: number): object => {
  const bin = join(folder, `bin-${(written += 1)}`)
  mkdirSync(bin)
  writeFileSync(
    join(bin, name),
    `#!/bin/sh\necho 'Unable to locate credentials. You can configure credentials by running "aws login".' >&2\nexit ${status}\n`,
  )
  chmodSync(join(bin, name), 0o755)
  const args = 'eks get-token --cluster-name prod --profile work'.split(' ')
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: join(bin, name), args } }
}

interface Given {
  cluster?: object
  user?: object
  name?: string
}

interface Hop {
  hop: string
  state: string
  detail: string
  fix?: string
}

interface Row extends Given {
  env?: NodeJS.ProcessEnv
  fails: string
  says: RegExp
  paste: RegExp
  tried?: string[]
  notTried?: string[]
}

/** The file stands for the kubeconfig that is in use. */
const rows: [string, Row][] = [
  [
    'an authority that is not base64',
    {
      cluster: { 'certificate-authority-data': '%' },
      fails: 'certificate authority',
      says: /is not base64/,
      paste: /^kubectl config set-cluster c --certificate-authority=CA\.pem --embed-certs=true --kubeconfig FILE /,
      tried: ['kubeconfig', 'user', 'TCP'],
      notTried: ['TLS', 'authentication'],
    },
  ],
  [
    'the file of an authority that is not there, of a cluster of EKS',
    {
      name: arn,
      cluster: { 'certificate-authority-data': undefined, 'certificate-authority': missing },
      fails: 'certificate authority',
      says: /missing, named in the kubeconfig, cannot be read: there is no such file/,
      paste: /^aws eks update-kubeconfig --name prod --region eu-west-1 --kubeconfig FILE /,
      tried: ['credentials', 'user', 'TCP'],
      notTried: ['TLS', 'authentication'],
    },
  ],
  [
    'a SOCKS proxy of the cluster',
    {
      cluster: { 'proxy-url': 'socks5://127.0.0.1:1080' },
      fails: 'proxy',
      says: /proxy-url is a SOCKS proxy/,
      paste:
        /^kubectl config set clusters\.c\.proxy-url http:\/\/HOST:PORT --kubeconfig FILE .*cannot use SOCKS.*\nkubectl config unset clusters\.c\.proxy-url --kubeconfig FILE /,
      tried: ['kubeconfig', 'user'],
      notTried: ['TCP', 'TLS', 'authentication'],
    },
  ],
  [
    'a SOCKS proxy of the environment, before AWS',
    {
      name: arn,
      env: { HTTPS_PROXY: 'socks5://127.0.0.1:1080' },
      fails: 'AWS proxy',
      says: /^HTTPS_PROXY is a SOCKS proxy/,
      paste: /^export HTTPS_PROXY=http:\/\/HOST:PORT .*\nexport NO_PROXY="\$NO_PROXY,eks\.eu-west-1\.amazonaws\.com" /,
      tried: ['user', 'TCP'],
      notTried: ['credentials', 'STS', 'EKS API'],
    },
  ],
  [
    'groups to act in, and no user',
    {
      user: { token: 't', 'as-groups': ['admins'] },
      fails: 'acting as',
      says: /no user \(as\)/,
      paste: /^kubectl config view --minify --kubeconfig FILE /,
      tried: ['user', 'TCP'],
      notTried: ['authentication'],
    },
  ],
  [
    'a token file that is not there',
    {
      user: { tokenFile: missing },
      fails: 'user',
      says: /missing, named in the kubeconfig, cannot be read: there is no such file/,
      paste: new RegExp(`^ls -l ${missing} `),
      tried: ['TCP'],
      notTried: ['authentication'],
    },
  ],
  [
    'a token file that is empty',
    {
      user: { tokenFile: '/dev/null' },
      fails: 'user',
      says: /its token is empty/,
      paste: /^kubectl config view --raw --minify --kubeconfig FILE --context c -o jsonpath=/,
    },
  ],
  [
    'an empty token file beside a plugin, which is not run',
    {
      user: { tokenFile: '/dev/null', ...failing('aws', 253) },
      fails: 'user',
      says: /its token is empty/,
      paste: /^kubectl config view --raw --minify --kubeconfig FILE --context c -o jsonpath=/,
    },
  ],
  [
    'the plugin of the AWS CLI, which has no credentials',
    {
      user: failing('aws', 253),
      fails: 'credential plugin',
      says: /failed: Unable to locate credentials/,
      paste: /^aws sso login --profile work /,
      tried: ['TCP'],
      notTried: ['authentication'],
    },
  ],
  [
    'a plugin of AWS whose status does not say why it fails',
    {
      user: failing('aws', 255),
      fails: 'credential plugin',
      says: /failed: Unable to locate credentials/,
      paste: /^aws sts get-caller-identity --profile work .*\naws sso login --profile work /,
    },
  ],
  [
    'a plugin that is not of AWS',
    {
      user: failing('gke-gcloud-auth-plugin', 253),
      fails: 'credential plugin',
      says: /failed: Unable to locate credentials/,
      paste: /^kubectl --kubeconfig FILE --context c auth whoami .*the same plugin/,
    },
  ],
]

describe('a kubeconfig that is wrong in itself: the part is named, the paste is for it, and what does not need it is tried', () => {
  test.each(rows)('%s', async (_, { env = {}, fails, says, paste, tried = [], notTried = [], ...given }) => {
    const file = kubeconfig(given)
    const { stdout, stderr } = await run(['doctor', '-o', 'json', '-q', '--kubeconfig', file], {
      env: { HOME: folder, ...env },
    })
    expect(stderr).toBe('')
    const { hops } = JSON.parse(stdout) as { hops: Hop[] }
    const hop = hops.find((it) => it.hop === fails)
    expect({ ...hop, fix: hop?.fix?.replaceAll(file, 'FILE') }).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(says),
      fix: expect.stringMatching(paste),
    })
    // What is no command for the terminal's layout is broken between any two words.
    expect(remedyParts(hop?.fix ?? '').map(({ kind }) => kind)).toEqual(
      (hop?.fix ?? '').split('\n').map(() => 'command'),
    )
    const stateOf = (name: string) => `${name}: ${hops.find((it) => it.hop === name)?.state}`
    for (const name of tried) expect([`${name}: ok`, `${name}: failed`]).toContain(stateOf(name))
    for (const name of notTried) expect(stateOf(name)).toBe(`${name}: not tried`)
  })
})
