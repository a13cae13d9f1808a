import { quoted } from '../../shared/domain/shell.ts'

/** How to get credentials of AWS, of a profile or of any. */
export const loginFix = (profile: string | undefined): string =>
  profile === undefined
    ? 'aws sso login   # or: export AWS_PROFILE=NAME, or: aws configure'
    : `aws sso login --profile ${quoted(profile)}   # or: aws configure --profile ${quoted(profile)}`
