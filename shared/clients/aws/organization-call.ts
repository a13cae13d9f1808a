import { setTimeout as delay } from 'node:timers/promises'
import { DefaultRateLimiter, isThrottlingError } from '@smithy/core/retry'
import type * as z from 'zod/mini'
import { globalRegion } from '../../domain/partitions.ts'
import type { CredentialsProvider } from './eks-token.ts'
import { type OperationOf, signedCall } from './signed-call.ts'

export interface OrganizationPlace {
  /** The functions' own: it says which partition of AWS it is. */
  region: string
  credentials: CredentialsProvider
  /** Instead of AWS's own. */
  endpoint?: string | undefined
}

export type Operation = OperationOf<'AWSOrganizationsV20161128'>

/** All pages of one operation, each as the schema says. */
export type OrganizationCall = <S extends z.ZodMiniType<{ NextToken?: string | null | undefined }>>(
  operation: Operation,
  request: object,
  schema: S,
) => Promise<z.output<S>[]>

const triesAtMost = 6
const longestWaitMs = 5_000
/** Of 20 accounts each: what answers with more is not believed. */
const pagesAtMost = 500

/**
 * Calls of AWS Organizations, whose quotas are a few a second for all callers of the organization: the rate falls where it
 * throttles and rises again, as the SDK's adaptive retries do it.
 */
export const patientCalls = ({ region, ...place }: OrganizationPlace, stop: AbortSignal): OrganizationCall => {
  const pace = new DefaultRateLimiter()
  const at = {
    ...place,
    service: 'organizations',
    protocol: '1.1',
    region: globalRegion(region),
  } as const
  const once = async (operation: Operation, request: object): Promise<unknown> => {
    stop.throwIfAborted()
    await pace.getSendToken()
    try {
      const answer = await signedCall(at, `AWSOrganizationsV20161128.${operation}`, request)
      pace.updateClientSendingRate({})
      return answer
    } catch (error) {
      const refusal = refusalOf(error, operation)
      pace.updateClientSendingRate(refusal)
      throw refusal
    }
  }
  const answered = async (operation: Operation, request: object): Promise<unknown> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(operation, request)
      } catch (error) {
        if (tries >= triesAtMost || !isTemporary(error)) throw error
        await delay(Math.min(longestWaitMs, 100 * 2 ** tries), undefined, { signal: stop })
      }
    }
  }
  return async (operation, request, schema) => {
    const pages = []
    let token: string | undefined
    do {
      const page = schema.safeParse(await answered(operation, { ...request, ...(token && { NextToken: token }) }))
      if (!page.success || pages.length >= pagesAtMost)
        throw refusal(`The answer cannot be read: ${page.error?.issues[0]?.message ?? 'it has no end'}`, operation, 200)
      pages.push(page.data)
      token = page.data.NextToken || undefined
    } while (token !== undefined)
    return pages
  }
}

/** As the SDK's errors look: which call it was, HTTP status and name. */
const refusal = (message: string, operation: string, httpStatusCode?: number, name = 'Error') =>
  Object.assign(new Error(message), {
    name,
    call: `organizations:${operation}`,
    $metadata: { ...(httpStatusCode !== undefined && { httpStatusCode }) },
  })

const refusalOf = (error: unknown, operation: string) => {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  // What is no JSON was answered.
  const [, status, code] = /^HTTP (\d+), (\w*)$/.exec(name === 'SyntaxError' ? 'HTTP 200, SyntaxError' : message) ?? []
  return status === undefined
    ? refusal(message, operation, undefined, name)
    : refusal(message, operation, Number(status), code || name)
}

/** Throttled, failed or not answered; what is refused is refused. */
export const isTemporary = (error: unknown): boolean => {
  const { $metadata: { httpStatusCode: status } = {} } = error as Partial<ReturnType<typeof refusal>>
  return status === undefined || status >= 500 || isThrottlingError(error as Parameters<typeof isThrottlingError>[0])
}
