import type { IncomingMessage, ServerResponse } from 'node:http'
import { AwsError } from './aws-error.ts'
import { startDynamo } from './dynamo.ts'
import type { Fields } from './json.ts'
import type { Credentials, Keyring } from './keyring.ts'
import type { Stack } from './template.ts'

export interface Tables {
  url: string
  /** Makes the template's tables. */
  deploy: (stack: Stack) => Promise<void>
  stop: () => Promise<void>
}

/** DynamoDB, as the callers that the keyring knows reach it. */
export async function startTables(
  keyring: Keyring,
  onCall?: (operation: string, callerArn: string) => void,
): Promise<Tables> {
  const own = keyring.forUser('arn:aws:iam::000000000000:user/lab')
  const admit = (request: IncomingMessage, response: ServerResponse): boolean => {
    try {
      const { credentials } = keyring.caller(request.headers)
      if (credentials !== own) onCall?.(String(request.headers['x-amz-target']).split('.')[1] ?? '', credentials.arn)
      return true
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      const body = JSON.stringify({ __type: `com.amazon.coral.service#${error.code}`, message: error.message })
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(body)
      return false
    }
  }
  const { url, stop } = await startDynamo(admit)
  return {
    url,
    deploy: async (stack) => {
      for (const { name, properties } of stack.ofType('AWS::DynamoDB::Table'))
        await create(url, own, { ...definition(properties), TableName: name })
    },
    stop,
  }
}

/** What of the template's table is the API's too, and dynalite's. */
function definition(properties: Fields): Fields {
  const names = [
    'KeySchema',
    'AttributeDefinitions',
    'GlobalSecondaryIndexes',
    'LocalSecondaryIndexes',
    'ProvisionedThroughput',
  ]
  const given = names.flatMap((name) => (properties[name] === undefined ? [] : [[name, properties[name]] as const]))
  return { BillingMode: properties['BillingMode'] ?? 'PROVISIONED', ...Object.fromEntries(given) }
}

/** dynalite wants a signature's form; it never checks it. */
async function create(url: string, { accessKeyId, sessionToken }: Credentials, body: Fields): Promise<void> {
  const credential = `${accessKeyId}/20260101/us-east-1/dynamodb/aws4_request`
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.CreateTable',
      'x-amz-date': '20260101T000000Z',
      'x-amz-security-token': sessionToken,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`The lab's DynamoDB: ${response.status} ${await response.text()}`)
}
