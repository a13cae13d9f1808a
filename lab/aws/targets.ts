import { setTimeout as delay } from 'node:timers/promises'
import { fieldsOf, numberOf, textOf } from './json.ts'
import type { Functions, Invocation } from './lambda.ts'
import type { Queues } from './queues.ts'
import type { Stack } from './template.ts'

export interface TargetOptions {
  queues: Queues
  functions: Functions
  /** Shortens the minutes that Lambda waits before it tries a failed event again. */
  timeScale: number
}

export interface Targets {
  /**
   * Hands the payload to a queue, topic or function. A function is invoked as for any event: tried three times in all, then its
   * destination or dead-letter queue gets what is left. Throws where the ARN is nothing the template has.
   */
  deliver: (arn: string, payload: unknown, groupId?: string) => Promise<void>
  /** The bare message with attributes, as EventBridge and Lambda leave it in a dead-letter queue. */
  bury: (queueArn: string, payload: unknown, attributes: Record<string, string>) => Promise<void>
  stop: () => void
}

/** Seconds between the tries of an asynchronous invocation. */
const waits = [60, 120]

export function createTargets(stack: Stack, { queues, functions, timeScale }: TargetOptions): Targets {
  const aborter = new AbortController()
  const queueUrl = (arn: string): string => {
    const queue = stack.byArn(arn)
    if (queue?.type !== 'AWS::SQS::Queue') throw new Error(`The template has no queue ${arn}`)
    return queue.ref
  }
  const bury: Targets['bury'] = (arn, payload, attributes) =>
    queues.send({ queueUrl: queueUrl(arn), body: JSON.stringify(payload), attributes })
  const deliver: Targets['deliver'] = async (arn, payload, groupId) => {
    const service = arn.split(':')[2]
    if (service === 'lambda') return invoke(arn, payload)
    if (service === 'sns') return queues.publish(arn, JSON.stringify(payload))
    if (service !== 'sqs') throw new Error(`The lab does not deliver to ${arn}`)
    await queues.send({
      queueUrl: queueUrl(arn),
      body: JSON.stringify(payload),
      ...(groupId !== undefined && { groupId }),
    })
  }
  const invoke = async (arn: string, payload: unknown): Promise<void> => {
    const { retries, onFailure, deadLetters } = asynchronous(stack, arn)
    // Lambda gives every try of one event the same id.
    let requestId: string | undefined
    for (let attempt = 0; ; attempt += 1) {
      const invocation: Invocation = await functions.invoke(arn, payload, requestId)
      requestId = invocation.requestId
      if (!('error' in invocation.result)) return
      if (attempt < retries) {
        await delay((waits[attempt] ?? 0) * 1000 * timeScale, undefined, { signal: aborter.signal })
        continue
      }
      if (onFailure !== undefined) await deliver(onFailure, failureRecord(arn, invocation, attempt + 1))
      else if (deadLetters !== undefined) await bury(deadLetters, payload, errorAttributes(invocation))
      return
    }
  }
  return { deliver, bury, stop: () => aborter.abort() }
}

function asynchronous(stack: Stack, arn: string) {
  const target = stack.byArn(arn)
  const config = stack
    .ofType('AWS::Lambda::EventInvokeConfig')
    .find(({ properties }) => [target?.name, arn].includes(textOf(properties['FunctionName'])))?.properties
  const onFailure = fieldsOf(fieldsOf(config?.['DestinationConfig'])['OnFailure'])['Destination']
  return {
    retries: numberOf(config?.['MaximumRetryAttempts']) ?? waits.length,
    onFailure: textOf(onFailure),
    deadLetters: textOf(fieldsOf(target?.properties['DeadLetterConfig'])['TargetArn']),
  }
}

const errorAttributes = ({ requestId, result }: Invocation): Record<string, string> => ({
  RequestID: requestId,
  ErrorCode: '200',
  ErrorMessage: ('error' in result ? result.error.errorMessage : '').slice(0, 1000),
})

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
const failureRecord = (
  functionArn: string,
  { requestId, event, result }: Invocation,
  approximateInvokeCount: number,
) => ({
  version: '1.0',
  timestamp: new Date().toISOString(),
  requestContext: {
    requestId,
    functionArn: `${functionArn}:$LATEST`,
    condition: 'RetriesExhausted',
    approximateInvokeCount,
  },
  requestPayload: event,
  responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
  responsePayload: 'error' in result ? result.error : {},
})
