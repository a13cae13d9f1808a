import { AwsError } from './aws-error.ts'
import { type Answer, serve } from './endpoint.ts'
import { asText, type Fields, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'

export interface OrganizationAccount {
  id: string
  /** Id of its unit, or of the root. */
  parent: string
  state?: 'ACTIVE' | 'SUSPENDED' | 'PENDING_CLOSURE' | 'CLOSED'
  tags?: Record<string, string>
}

export interface OrganizationSettings {
  accounts?: OrganizationAccount[]
  /** Parent of each unit by its id. Roots have none. */
  units?: Record<string, string | undefined>
}

interface Refusal {
  code: string
  status: number
  times: number
  of?: string
}

export interface Organizations {
  /** `AWS_ENDPOINT_URL_ORGANIZATIONS` */
  url: string
  /** May be changed at any time. */
  accounts: OrganizationAccount[]
  units: Record<string, string | undefined>
  /** The next calls are refused with this error. `of`: only those of this operation, or about this account. */
  refuse: (error: Refusal) => void
  /** Operations so far. */
  calls: () => string[]
  stop: () => Promise<void>
}

/** Few, so that there are several pages. */
const pageSize = 2

/** AWS Organizations, as far as a sweep asks it for accounts: paged, and as strict as AWS with ids it does not know. */
export async function startOrganizations(
  keyring: Pick<Keyring, 'caller'>,
  settings: OrganizationSettings = {},
  onCall?: (operation: string, callerArn: string) => void,
): Promise<Organizations> {
  const accounts = [...(settings.accounts ?? [])]
  const units = { ...settings.units }
  const calls: string[] = []
  let refusal: Refusal = { code: '', status: 200, times: 0 }
  const parentOf = ({ ParentId }: Fields): string => {
    const parent = asText(ParentId)
    if (!(parent in units)) throw new AwsError('ParentNotFoundException', 400, `there is no ${parent}`)
    return parent
  }
  const call = (operation: string, input: Fields): Fields => {
    const isMeant = refusal.of === undefined || [operation, input['ResourceId']].includes(refusal.of)
    if (refusal.times > 0 && isMeant) {
      refusal = { ...refusal, times: refusal.times - 1 }
      throw new AwsError(refusal.code, refusal.status, 'refused in the lab')
    }
    if (operation === 'ListAccounts') return paged('Accounts', accounts.map(shown), input)
    if (operation === 'ListAccountsForParent') {
      const parent = parentOf(input)
      return paged('Accounts', accounts.filter((it) => it.parent === parent).map(shown), input)
    }
    if (operation === 'ListOrganizationalUnitsForParent') {
      const parent = parentOf(input)
      const children = Object.keys(units).filter((id) => units[id] === parent)
      return paged(
        'OrganizationalUnits',
        children.map((Id) => ({ Id, Name: Id })),
        input,
      )
    }
    if (operation === 'ListTagsForResource') {
      const found = accounts.find(({ id }) => id === input['ResourceId'])
      if (!found) throw new AwsError('TargetNotFoundException', 400, `there is no ${asText(input['ResourceId'])}`)
      return paged(
        'Tags',
        Object.entries(found.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
        input,
      )
    }
    throw new AwsError('UnknownOperationException', 400, `The lab has no ${operation}`)
  }
  const { url, close } = await serve(async ({ headers, body }): Promise<Answer> => {
    try {
      const operation = (textOf(headers['x-amz-target']) ?? '').replace('AWSOrganizationsV20161128.', '')
      onCall?.(operation, keyring.caller(headers).credentials.arn)
      calls.push(operation)
      return json(200, call(operation, parseFields(body) ?? {}))
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return json(error.status, { __type: error.code, Message: error.message })
    }
  })
  return { url, accounts, units, refuse: (error) => void (refusal = error), calls: () => [...calls], stop: close }
}

const shown = ({ id, state = 'ACTIVE' }: OrganizationAccount): Fields => ({
  Id: id,
  Arn: `arn:aws:organizations::999988887777:account/o-a1b2c3d4e5/${id}`,
  State: state,
})

const paged = (name: string, all: Fields[], { NextToken }: Fields): Fields => {
  const from = Number(textOf(NextToken) ?? 0)
  const to = from + pageSize
  return { [name]: all.slice(from, to), ...(to < all.length && { NextToken: String(to) }) }
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
