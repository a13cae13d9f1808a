import { type Fields, fieldsOf, isFields, listOf, textOf } from './json.ts'
import type { Stack } from './template.ts'

/** `arn:aws:sts::A:assumed-role/NAME/session` is the role `arn:aws:iam::A:role/NAME`. */
export const roleOf = (arn: string): string =>
  arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam::$1:role/$2')

interface Asked {
  action: string
  resource?: string
  principal?: string
  /** Of the keys of conditions. A condition on a key without a value does not hold. */
  values?: Record<string, string | undefined>
}

/** As much of IAM as the templates use. What it does not know it refuses. */
export const allows = (policy: unknown, asked: Asked): boolean =>
  listOf(fieldsOf(policy)['Statement'])
    .map(fieldsOf)
    .some(
      (it) =>
        it['Effect'] === 'Allow' &&
        listOf(it['Action'])
          .concat(textOf(it['Action']) ?? [])
          .includes(asked.action) &&
        (asked.resource === undefined || textsOf(it['Resource']).some((one) => fits(one, asked.resource ?? ''))) &&
        (asked.principal === undefined || isPrincipal(it['Principal'], asked.principal)) &&
        Object.entries(fieldsOf(it['Condition'])).every(([kind, keys]) => holds(kind, fieldsOf(keys), asked)),
    )

/** What the policies of a role of the stack allow. `undefined`: the stack has no such role. */
export const ownPolicyAllows = (stack: Stack, roleArn: string, asked: Asked): boolean | undefined => {
  const role = stack.ofType('AWS::IAM::Role').find(({ arn }) => arn === roleArn)
  if (!role) return undefined
  const attached = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']
    .flatMap((type) => stack.ofType(type))
    .filter(({ properties }) => listOf(properties['Roles']).includes(role.ref))
  const inline = listOf(role.properties['Policies']).map(fieldsOf)
  return [...inline, ...attached.map(({ properties }) => properties)].some((it) => allows(it['PolicyDocument'], asked))
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String)

/** `*` is any text, as in `arn:aws:iam::*:role/viewer`. */
const fits = (pattern: string, text: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^\w]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(text)
}

/** An account's root stands for all its roles. */
const isPrincipal = (principal: unknown, arn: string): boolean => {
  if (principal === '*') return true
  const [account] = /(?<=::)\d{12}(?=:)/.exec(arn) ?? []
  return (
    isFields(principal) && textsOf(principal['AWS']).some((it) => it === arn || it === `arn:aws:iam::${account}:root`)
  )
}

const holds = (kind: string, keys: Fields, { values = {} }: Asked): boolean =>
  ['StringEquals', 'ArnEquals'].includes(kind) &&
  Object.entries(keys).every(([key, wanted]) => textsOf(wanted).includes(values[key] ?? ''))
