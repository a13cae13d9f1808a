import { AwsError } from './aws-error.ts'
import { type Answer, serve } from './endpoint.ts'
import { asText, type Fields, fieldsOf, listOf, numberOf, parseFields, textOf } from './json.ts'
import type { Keyring } from './keyring.ts'

export interface ConfigEvaluation {
  resourceType: string
  resourceId: string
  compliance: string
  annotation: string
  orderedAt: number
}

export interface ConfigService {
  /** `AWS_ENDPOINT_URL_CONFIG_SERVICE` */
  url: string
  /** The answers that count, by resource. */
  evaluations: () => ConfigEvaluation[]
  /** How many evaluations came in each call. */
  calls: () => number[]
  stop: () => Promise<void>
}

const target = 'StarlingDoveService.'

/** AWS Config, as far as the function of a rule calls it: what it refuses is refused here too. One rule, whatever its name. */
export async function startConfigService(
  keyring: Pick<Keyring, 'caller'>,
  onCall?: (operation: string, callerArn: string) => void,
): Promise<ConfigService> {
  const kept = new Map<string, ConfigEvaluation>()
  const sizes: number[] = []
  const put = ({ Evaluations, ResultToken, TestMode }: Fields): Fields => {
    const given = listOf(Evaluations).map(evaluationOf)
    if (asText(ResultToken) === '') throw new AwsError('InvalidResultTokenException', 400, 'no result token')
    if (given.length > 100) throw new AwsError('ValidationException', 400, 'more than 100 evaluations')
    sizes.push(given.length)
    if (TestMode === true) return { FailedEvaluations: [] }
    for (const it of given) {
      const key = `${it.resourceType} ${it.resourceId}`
      if ((kept.get(key)?.orderedAt ?? -1) <= it.orderedAt) kept.set(key, it)
    }
    return { FailedEvaluations: [] }
  }
  const details = ({ ComplianceTypes, Limit, NextToken }: Fields): Fields => {
    const wanted = listOf(ComplianceTypes).map(String)
    const all = [...kept.values()].filter(({ compliance }) => wanted.includes(compliance))
    const from = Number(textOf(NextToken) ?? 0)
    const to = from + Math.min(numberOf(Limit) ?? 100, 100)
    const EvaluationResults = all.slice(from, to).map(({ resourceType, resourceId, compliance }) => ({
      ComplianceType: compliance,
      EvaluationResultIdentifier: {
        EvaluationResultQualifier: { ResourceType: resourceType, ResourceId: resourceId },
      },
    }))
    return { EvaluationResults, ...(to < all.length && { NextToken: String(to) }) }
  }
  const { url, close } = await serve(async ({ headers, body }): Promise<Answer> => {
    try {
      const operation = (textOf(headers['x-amz-target']) ?? '').replace(target, '')
      onCall?.(operation, keyring.caller(headers).credentials.arn)
      const input = parseFields(body) ?? {}
      if (operation === 'PutEvaluations') return json(200, put(input))
      if (operation === 'GetComplianceDetailsByConfigRule') return json(200, details(input))
      throw new AwsError('UnknownOperationException', 400, `The lab has no ${operation}`)
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return json(error.status, { __type: error.code, message: error.message })
    }
  })
  return { url, evaluations: () => [...kept.values()], calls: () => [...sizes], stop: close }
}

const types = ['COMPLIANT', 'NON_COMPLIANT', 'NOT_APPLICABLE']

function evaluationOf(given: unknown): ConfigEvaluation {
  const it = fieldsOf(given)
  const [compliance, annotation] = [asText(it['ComplianceType']), textOf(it['Annotation']) ?? '']
  if (!types.includes(compliance))
    throw new AwsError('ValidationException', 400, `${compliance} is no answer of a rule`)
  if (annotation.length > 256)
    throw new AwsError('ValidationException', 400, 'an annotation of more than 256 characters')
  const orderedAt = numberOf(it['OrderingTimestamp'])
  if (orderedAt === undefined) throw new AwsError('ValidationException', 400, 'no OrderingTimestamp')
  const resource = {
    resourceType: asText(it['ComplianceResourceType']),
    resourceId: asText(it['ComplianceResourceId']),
  }
  return { ...resource, compliance, annotation, orderedAt }
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
