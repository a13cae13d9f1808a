import { expect, test } from '@jest/globals'
import { givenSecrets, loginsIn, ownSecrets } from '../../shared/clients/kube/own-secrets.ts'

/** None of these looks like a secret: they are found because they are known. */
const word = 'correct horse'

test.each([
  ['as it is', (it: string) => it],
  ['in an address', encodeURIComponent],
  ['in base64', (it: string) => Buffer.from(it).toString('base64')],
  ['in JSON', (it: string) => JSON.stringify(`${it}"`).slice(1, -3)],
])('a secret of our own is hidden in what others say: %s', (_, form) => {
  const { hide } = ownSecrets(word)
  expect(hide(`they said ${form(word)}, twice: ${form(word)}`)).not.toContain(form(word))
})

test('one that is learned later is hidden from then on, and what is too short to be one is not', () => {
  const { learn, hide } = ownSecrets('the')
  learn('battery staple')
  expect(hide('the battery staple')).toBe('the [secret]')
})

test('of a key in PEM each line', () => {
  const { hide } = ownSecrets('-----BEGIN PRIVATE KEY-----\nfirstline\nlastlines\n-----END PRIVATE KEY-----')
  expect(hide('lastlines, firstline')).toBe('[secret], [secret]')
})

test.each([
  ['https://admin:hunter2hunter@host', 'no hunter2hunter here'],
  ['https://admin:hunter%202hunter@host', 'no hunter 2hunter here'],
  ['https://deploy-key-77@host', 'no deploy-key-77 here'],
])('the login in the address %s is hidden wherever the server says it', (server, said) =>
  expect(ownSecrets(...loginsIn(server)).hide(said)).toBe('no [secret] here'),
)

test('an address without a login has none', () => {
  expect(loginsIn('https://host:6443')).toEqual([])
  expect(loginsIn('no address')).toEqual([])
})

test('what a plugin is given under a name of a secret is known, and nothing else of it', () => {
  const args = ['get', '--cluster', 'prod-number-1', '--token=swordfish1', '--client-secret', 'swordfish2']
  expect(givenSecrets(args, { VAULT_TOKEN: 'swordfish3', AWS_REGION: 'eu-central-1' })).toEqual([
    'swordfish1',
    'swordfish2',
    'swordfish3',
  ])
})
