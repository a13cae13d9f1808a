import {
  type ConfigServiceClient,
  GetComplianceDetailsByConfigRuleCommand,
  PutEvaluationsCommand,
} from '@aws-sdk/client-config-service'
import type { Compliance } from '../../domain/compliance.ts'

/** The calls of a rule to AWS Config. */
export interface ConfigRule {
  /** Ids of the resources for which the rule has an applicable result. */
  evaluated: (ruleName: string, resourceType: string) => Promise<string[]>
  /** Sends all, then throws if AWS Config did not accept some; the error names them. */
  put: (answer: Answer) => Promise<void>
}

export interface Answer {
  resultToken: string
  at: Date
  evaluations: ({ type: string; id: string } & { compliance: Compliance })[]
}

/** The maximum of AWS Config for one call. */
const evaluationsAtOnce = 100
/** The maximum page size of AWS Config, and far more pages than any region needs. */
const page = { Limit: 100, most: 100 }
/** How many resources an error names. */
const namedAtMost = 5

export const configRule = (config: ConfigServiceClient): ConfigRule => ({
  evaluated: async (ConfigRuleName, resourceType) => {
    const ids: string[] = []
    let NextToken: string | undefined
    for (let pages = 0; pages < page.most; pages += 1) {
      const { EvaluationResults = [], NextToken: next } = await config.send(
        new GetComplianceDetailsByConfigRuleCommand({
          ConfigRuleName,
          ComplianceTypes: ['COMPLIANT', 'NON_COMPLIANT'],
          Limit: page.Limit,
          ...(NextToken && { NextToken }),
        }),
      )
      for (const { EvaluationResultIdentifier } of EvaluationResults) {
        const { ResourceType, ResourceId } = EvaluationResultIdentifier?.EvaluationResultQualifier ?? {}
        if (ResourceType === resourceType && ResourceId) ids.push(ResourceId)
      }
      NextToken = next
      if (!NextToken) return ids
    }
    throw new Error(`The rule ${ConfigRuleName} has more than ${page.most * page.Limit} results in AWS Config.`)
  },
  put: async ({ resultToken, at, evaluations }) => {
    const refused: string[] = []
    for (let from = 0; from < evaluations.length; from += evaluationsAtOnce) {
      const { FailedEvaluations = [] } = await config.send(
        new PutEvaluationsCommand({
          ResultToken: resultToken,
          // The token that the console sends to test a rule.
          ...(resultToken === 'TESTMODE' && { TestMode: true }),
          Evaluations: evaluations.slice(from, from + evaluationsAtOnce).map(({ type, id, compliance }) => ({
            ComplianceResourceType: type,
            ComplianceResourceId: id,
            ComplianceType: compliance.type,
            Annotation: compliance.annotation,
            OrderingTimestamp: at,
          })),
        }),
      )
      refused.push(
        ...FailedEvaluations.map(({ ComplianceResourceId }) => ComplianceResourceId ?? 'a resource without id'),
      )
    }
    // The others are sent all the same: one that is refused for ever must not keep them from their results.
    if (refused.length > 0)
      throw new Error(
        `AWS Config did not accept ${refused.length} of ${evaluations.length} evaluations: ${refused.slice(0, namedAtMost).join(', ')}${refused.length > namedAtMost ? ' …' : ''}.`,
      )
  },
})
