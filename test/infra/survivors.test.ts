import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { deployment, everything } from './deployment.ts'
import { survivors } from './survivors.ts'

const stack = deployment(everything)

test('what survives the deletion of the stack is this list, and what of it was made in vain goes with a stack that could not be made', () => {
  const kept = stack.resources.filter(({ deletion }) => deletion !== 'Delete')
  expect(new Set(kept.map(({ type }) => type))).toEqual(new Set(Object.keys(survivors)))
  for (const { logicalId, deletion, replacement } of kept)
    expect([logicalId, deletion, replacement]).toEqual([logicalId, 'RetainExceptOnCreate', 'Retain'])
})

test('nothing that goes with a stack that could not be made refuses to be deleted', () => {
  const bolted = stack.resources.filter(({ properties }) => properties['DeletionProtectionEnabled'] === true)
  expect(bolted).toEqual([])
})

test('docs/deploy.md lists them with the reason', () => {
  const page = readFileSync(join(root, 'docs/deploy.md'), 'utf8')
  for (const [type, why] of Object.entries(survivors)) expect(page).toMatch(new RegExp(`\\| \`${type}\` \\|.*${why}`))
})
