import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { defaultDeployment, roleName } from '../../shared/domain/fleet-names.ts'
import { groups, mapRoles } from '../../shared/domain/grant/groups.ts'

/** The ways into a cluster that are not `grant`: each maps the roles of a spoke to the groups that RBAC knows, as `grant` does. */
const page = readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8')
const blockOf = (language: string, word: string): string => {
  const blocks = [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, text = '']) => text)
  const found = blocks.filter((text) => text.includes(word))
  if (found.length !== 1) throw new Error(`docs/access.md has ${found.length} blocks of ${language} with ${word}`)
  return found[0] ?? ''
}

const arnOf = (kind: 'viewer' | 'operator') => `arn:aws:iam::111122223333:role/${roleName(defaultDeployment, kind)}`
const wanted = [
  [arnOf('viewer'), [groups.viewers]],
  [arnOf('operator'), [groups.operators]],
]

test('by Terraform', () => {
  const entries = blockOf('hcl', 'aws_eks_access_entry').matchAll(
    /principal_arn\s+= "([^"]+)"\n\s+kubernetes_groups = (\[.*\])/g,
  )
  expect(Array.from(entries, ([, arn, names = '']) => [arn, JSON.parse(names)])).toEqual(wanted)
})

test('by eksctl', () => {
  const { accessConfig } = parse(blockOf('yaml', 'eksctl.io')) as {
    accessConfig: { accessEntries: { principalARN: string; kubernetesGroups: string[] }[] }
  }
  const entries = accessConfig.accessEntries.map((it) => [it.principalARN, it.kubernetesGroups])
  expect(entries).toEqual(wanted)
})

test('by aws-auth, as grant and doctor print it', () => {
  const printed = mapRoles(
    wanted.map(([principalArn, names]) => ({ principalArn: String(principalArn), groups: names as string[] })),
  )
  expect(blockOf('yaml', 'rolearn').trim()).toBe(printed)
})
