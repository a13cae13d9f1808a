import { describe, expect, test } from '@jest/globals'
import { signToken } from '../../../shared/clients/aws/eks-token.ts'
import { holdingOf } from '../../../lab/aws/eks-model.ts'
import { userOf } from '../../../lab/aws/eks-token.ts'
import { createKeyring } from '../../../lab/aws/keyring.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const roleArn = 'arn:aws:iam::111122223333:role/calico/viewer'
const keyring = createKeyring()
const session = keyring.forRole(roleArn, 'evaluate')
const holding = holdingOf(
  {
    name: 'prod-1',
    endpoint: 'https://127.0.0.1',
    caData: '',
    accessEntries: [{ principalArn: roleArn, kubernetesGroups: ['viewers'] }],
  },
  place,
)
const now = new Date('2026-11-20T10:00:00Z')
const token = (tokenFor = 'prod-1', credentials = session) =>
  signToken({ region: place.region, tokenFor, now }, credentials)
const at = (minutes: number) => now.getTime() + minutes * 60_000

describe('a token of EKS in the lab', () => {
  test('is the user that the cluster’s access entry names', async () => {
    const user = userOf(await token(), holding, keyring, at(0))
    expect(user).toEqual({ username: roleArn, groups: ['viewers', 'system:authenticated'] })
  })

  test('counts for fifteen minutes', async () => {
    const made = await token()
    expect(userOf(made, holding, keyring, at(14.9))).toBeDefined()
    expect(userOf(made, holding, keyring, at(15.1))).toBeUndefined()
    expect(userOf(made, holding, keyring, at(-6))).toBeUndefined()
  })

  test('counts for one cluster', async () => {
    expect(userOf(await token('prod-2'), holding, keyring, at(0))).toBeUndefined()
  })

  test('is refused with another secret, another session or no access entry', async () => {
    const forged = { ...session, secretAccessKey: 'guessed' }
    const mixed = { ...session, sessionToken: 'of another session' }
    const stranger = keyring.forRole('arn:aws:iam::111122223333:role/other', 'x')
    for (const credentials of [forged, mixed, stranger])
      expect(userOf(await token('prod-1', credentials), holding, keyring, at(0))).toBeUndefined()
  })

  test('is refused when anything in it was changed, or it is none at all', async () => {
    const url = Buffer.from((await token()).slice('k8s-aws-v1.'.length), 'base64url').toString()
    const remade = (text: string) => `k8s-aws-v1.${Buffer.from(text).toString('base64url')}`
    expect(userOf(remade(url), holding, keyring, at(0))).toBeDefined()
    for (const changed of [
      url.replace('GetCallerIdentity', 'GetSessionToken'),
      url.replace('https:', 'http:'),
      url.replace('sts.eu-west-1.amazonaws.com', 'sts.example.com'),
      url.replace('Expires=60', 'Expires=61'),
      `${url}&extra=1`,
      'not a url',
    ])
      expect(userOf(remade(changed), holding, keyring, at(0))).toBeUndefined()
    expect(userOf('an-ordinary-token', holding, keyring, at(0))).toBeUndefined()
  })
})
