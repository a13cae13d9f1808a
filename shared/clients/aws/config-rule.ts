import {
  type ConfigServiceClient,
  GetComplianceDetailsByConfigRuleCommand,
  PutEvaluationsCommand,
} from '@aws-sdk/client-config-service'
import type { Compliance } from '../../domain/compliance.ts'

/** What a rule says to AWS Config. */
export interface ConfigRule {
  /** Ids of the resources that the rule has an answer for which says that it applies. */
  evaluated: (ruleName: string, resourceType: string) => Promise<string[]>
  /** Throws where Config did not take all. */
  put: (answer: Answer) => Promise<void>
}

export interface Answer {
  resultToken: string
  at: Date
  evaluations: ({ type: string; id: string } & { compliance: Compliance })[]
}

/** Config takes no more at a time. */
const evaluationsAtOnce = 100
/** The most that Config gives at a time, and far more pages than a region has clusters. */
const page = { Limit: 100, most: 100 }

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
    throw new Error(`The rule ${ConfigRuleName} has more than ${page.most * page.Limit} answers in AWS Config.`)
  },
  put: async ({ resultToken, at, evaluations }) => {
    for (let from = 0; from < evaluations.length; from += evaluationsAtOnce) {
      const { FailedEvaluations = [] } = await config.send(
        new PutEvaluationsCommand({
          ResultToken: resultToken,
          // What the console sends to try a rule out.
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
      if (FailedEvaluations.length > 0)
        throw new Error(`AWS Config did not take ${FailedEvaluations.length} of ${evaluations.length} evaluations.`)
    }
  },
})
