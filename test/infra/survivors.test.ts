import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { deployment, everything } from './deployment.ts'

/** What stays when the stack is deleted, by its name in the template, and why. docs/deploy.md says the same. */
const survivors: Record<string, string> = {
  'AWS::DynamoDB::Table': 'the records are evidence',
  'AWS::KMS::Key': 'what was encrypted with it can still be read',
  'AWS::S3::Bucket': 'the daily reports are what an auditor asks for',
  'AWS::Logs::LogGroup': 'the logs say what was done; they go by themselves when their days are over',
}

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
