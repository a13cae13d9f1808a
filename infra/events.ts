import type { EventPattern } from 'aws-cdk-lib/aws-events'
import { type PatternName, patterns as own } from '../shared/domain/spoke/event-patterns.ts'

/** The common event patterns of hub and spokes, in the form of the CDK, by the rule's name in the template. */
export const patterns: Record<PatternName, EventPattern> = {
  ClusterCalls: cdkOf(own.ClusterCalls),
  AddonEvents: cdkOf(own.AddonEvents),
  ConfigurationItems: cdkOf(own.ConfigurationItems),
  HealthEvents: cdkOf(own.HealthEvents),
}

function cdkOf({ 'detail-type': detailType, ...pattern }: (typeof own)[PatternName]): EventPattern {
  return { ...pattern, detailType }
}
