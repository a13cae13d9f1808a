import { quoted } from '../../shared/domain/shell.ts'
import { Failure } from '../failure.ts'

/** How to get credentials of AWS, of a profile or of any. */
export const loginFix = (profile: string | undefined): string =>
  profile === undefined
    ? 'aws sso login   # or: export AWS_PROFILE=NAME, or: aws configure'
    : `aws sso login --profile ${quoted(profile)}   # or: aws configure --profile ${quoted(profile)}`

/** The SDK's name for it: AWS was never asked. */
export const isWithoutCredentials = (message: string): boolean => /\bCredentialsProviderError\b/.test(message)

export const withoutCredentials = (message: string): Failure => {
  const profile = process.env['AWS_PROFILE']
  const named = profile === undefined ? '' : ` in the profile ${JSON.stringify(profile)}`
  return new Failure(`There are no AWS credentials${named}: ${message}`, loginFix(profile))
}
