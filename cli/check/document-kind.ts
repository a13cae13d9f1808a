import { lstatSync } from 'node:fs'
import { objectOf, textOf } from '../../shared/clients/foreign.ts'
import { commandOn } from '../../shared/domain/findings/remedy.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'

export type DocumentKind = 'state' | 'plan' | 'check' | 'sweep' | 'doctor' | 'history' | 'rollout'

/** The files that this tool writes, by fields that only they have. */
const fieldsOf: readonly [DocumentKind, readonly string[]][] = [
  ['state', ['felix', 'daemonSets']],
  ['plan', ['verdict', 'findings', 'plan']],
  ['check', ['verdict', 'findings']],
  ['sweep', ['sweptAt', 'clusters']],
  ['doctor', ['hops']],
  ['history', ['intervals', 'writes']],
  ['rollout', ['journal']],
  ['rollout', ['rollout', 'blockedBy']],
]

/** Of a file that was given in place of another; `undefined`: it is none of ours. */
export const kindOf = (value: unknown): DocumentKind | undefined => {
  const document = objectOf(value)
  return fieldsOf.find(([, fields]) => fields.every((field) => Object.hasOwn(document, field)))?.[0]
}

export const kindText = (kind: DocumentKind): string =>
  kind === 'state' ? 'a captured state' : `the result of ${kind} (-o json)`

/** The name of a file that does not exist yet, such as `plan.json` or `plan-2.json`: a printed command that is pasted overwrites nothing. */
export const newFile = (name: string): string => {
  for (let nth = 1; ; nth += 1) {
    const file = `${name}${nth === 1 ? '' : `-${nth}`}.json`
    if (!lstatSync(file, { throwIfNoEntry: false })) return file
  }
}

/** A command on the cluster that such a file is about. */
export const commandAbout = (value: unknown, command: string): string => {
  const { name, context, region } = objectOf(objectOf(value)['cluster'])
  const given = { context: textOf(context), region: textOf(region) }
  const known = Object.fromEntries(Object.entries(given).filter(([, it]) => it !== undefined))
  const cluster: ClusterIdentity = { name: textOf(name) ?? 'NAME', ...known }
  return commandOn({ cluster }, command)
}
