import { randomBytes, randomUUID } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import { type Answer, serve } from './endpoint.ts'
import { asText, type Fields, fieldsOf, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'
import type { Stack } from './template.ts'

export interface Secrets {
  url: string
  /** As `put-secret-value` by hand, by ARN or name; a secret that the template only refers to is made by it. */
  put: (id: string, value: string) => void
  /** Makes the template's secrets. */
  deploy: (stack: Stack) => void
  stop: () => Promise<void>
}

interface Secret {
  arn: string
  name: string
  value: string
  version: string
}

/** Secrets Manager: GetSecretValue. */
export async function startSecrets(
  keyring: Keyring,
  onCall?: (operation: string, callerArn: string) => void,
): Promise<Secrets> {
  const secrets: Secret[] = []
  const named = (id: string) => secrets.find(({ arn, name }) => arn === id || name === id || arn.startsWith(`${id}-`))
  const put = (id: string, value: string) => {
    const known = named(id)
    const fresh = { value, version: randomUUID() }
    if (known !== undefined) Object.assign(known, fresh)
    else secrets.push({ arn: id, name: id.split(':secret:').at(-1) ?? id, ...fresh })
  }
  const { url, close } = await serve(async ({ headers, body }): Promise<Answer> => {
    try {
      const operation = textOf(headers['x-amz-target'])?.split('.')[1] ?? ''
      onCall?.(operation, keyring.caller(headers).credentials.arn)
      if (operation !== 'GetSecretValue')
        throw new AwsError('UnknownOperationException', 400, `The lab has no ${operation}`)
      const secret = named(asText(parseFields(body)?.['SecretId']))
      if (secret === undefined)
        throw new AwsError('ResourceNotFoundException', 400, `Secrets Manager can't find the specified secret.`)
      return json(200, valueOf(secret))
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return json(error.status, { __type: error.code, message: error.message })
    }
  })
  const deploy = (stack: Stack) => {
    for (const { arn, name, properties } of stack.ofType('AWS::SecretsManager::Secret'))
      secrets.push({
        arn,
        name,
        version: randomUUID(),
        value: textOf(properties['SecretString']) ?? generated(properties),
      })
  }
  return { url, put, deploy, stop: close }
}

/** `GenerateSecretString`: random, in place in the template it is given. */
function generated(properties: Fields): string {
  const { SecretStringTemplate, GenerateStringKey } = fieldsOf(properties['GenerateSecretString'])
  const random = randomBytes(24).toString('base64url')
  if (GenerateStringKey === undefined) return random
  return JSON.stringify({ ...parseFields(asText(SecretStringTemplate)), [asText(GenerateStringKey)]: random })
}

const valueOf = ({ arn, name, value, version }: Secret): Fields => ({
  ARN: arn,
  Name: name,
  SecretString: value,
  VersionId: version,
  VersionStages: ['AWSCURRENT'],
  CreatedDate: Date.now() / 1000,
})

const json = (status: number, body: Fields): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
