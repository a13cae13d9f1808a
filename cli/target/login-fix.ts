import type { ReadFailure } from '../../shared/domain/read.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { Failure } from '../failure.ts'

/** How to get credentials of AWS, of a profile or of any. */
export const loginFix = (profile: string | undefined): string =>
  profile === undefined
    ? 'aws sso login   # or: export AWS_PROFILE=NAME, or: aws configure'
    : `aws sso login --profile ${quoted(profile)}   # or: aws configure --profile ${quoted(profile)}`

/** The SDK found none: without them AWS was never asked, so there is no status. */
export const isWithoutCredentials = ({ kind, status }: ReadFailure): boolean =>
  kind === 'unauthenticated' && status === undefined

export const withoutCredentials = ({ message }: ReadFailure): Failure => {
  const profile = process.env['AWS_PROFILE']
  const named = profile === undefined ? '' : ` in the profile ${JSON.stringify(profile)}`
  return new Failure(`There are no AWS credentials${named}: ${message}`, loginFix(profile))
}
