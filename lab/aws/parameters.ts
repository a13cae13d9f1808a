import { AwsError } from './aws-error.ts'
import { type Answer, serve } from './endpoint.ts'
import { asText, type Fields, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'
import type { Stack } from './template.ts'

export interface Parameters {
  /** `AWS_ENDPOINT_URL_SSM` */
  url: string
  /** As `put-parameter --overwrite`. */
  put: (name: string, value: string) => void
  /** The next calls are refused with this error. */
  refuse: (error: { code: string; status: number; times: number }) => void
  /** Calls so far. */
  calls: () => number
  /** Makes the template's parameters. */
  deploy: (stack: Stack) => void
  stop: () => Promise<void>
}

/** SSM Parameter Store: GetParameter and PutParameter of plain texts. */
export async function startParameters(
  keyring: Pick<Keyring, 'caller'>,
  onCall?: (operation: string, callerArn: string) => void,
): Promise<Parameters> {
  const values = new Map<string, string>()
  let refusal = { code: '', status: 200, times: 0 }
  let calls = 0
  const call = (operation: string, { Name, Value }: Fields): Fields => {
    if (refusal.times > 0) {
      refusal = { ...refusal, times: refusal.times - 1 }
      throw new AwsError(refusal.code, refusal.status, 'refused in the lab')
    }
    const name = asText(Name)
    if (operation === 'PutParameter') {
      values.set(name, asText(Value))
      return { Tier: 'Standard' }
    }
    if (operation !== 'GetParameter')
      throw new AwsError('UnknownOperationException', 400, `The lab has no ${operation}`)
    if (!values.has(name)) throw new AwsError('ParameterNotFound', 400, '')
    return { Parameter: { Name: name, Type: 'String', Value: values.get(name), Version: 1 } }
  }
  const { url, close } = await serve(async ({ headers, body }): Promise<Answer> => {
    calls += 1
    try {
      const operation = textOf(headers['x-amz-target'])?.split('.')[1] ?? ''
      onCall?.(operation, keyring.caller(headers).credentials.arn)
      return json(200, call(operation, parseFields(body) ?? {}))
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return json(error.status, { __type: error.code, message: error.message })
    }
  })
  const deploy = (stack: Stack) => {
    for (const { name, properties } of stack.ofType('AWS::SSM::Parameter'))
      values.set(name, asText(properties['Value']))
  }
  return {
    url,
    put: (name, value) => void values.set(name, value),
    refuse: (error) => void (refusal = error),
    calls: () => calls,
    deploy,
    stop: close,
  }
}

const json = (status: number, body: Fields): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
