import { quoted } from '../../shared/domain/shell.ts'
import { awsFailure, nameOf } from '../../shared/clients/aws/failure.ts'
import { bounded, inTime, limited } from '../../shared/clients/aws/limits.ts'
import { oneLine } from '../../shared/clients/foreign.ts'
import { recordsParameter } from '../../shared/messages.ts'
import { Failure } from '../failure.ts'
import { isWithoutCredentials, withoutCredentials } from '../target/login-fix.ts'
import { sdkOptions, withProxiedFetch } from '../target/sdk-options.ts'

/** Where the records are. */
export interface RecordsPlace {
  region: string
  table?: string
  stack: string
  hubRegion?: string
}

export interface Table {
  /** Name or ARN. */
  name: string
  region: string
}

const identity = 'aws sts get-caller-identity'

/** The account of the credentials. */
export const accountOf = async ({ region }: RecordsPlace): Promise<string> => {
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts')
  const sts = bounded(new STSClient({ region, ...limited, ...(await sdkOptions()) }))
  const { Account } = await sts.send(new GetCallerIdentityCommand({})).catch((error: unknown) => {
    refuseWithoutCredentials(error, 'sts:GetCallerIdentity')
    throw new Failure(
      `The account of these credentials is not known: ${said(error)}`,
      `${identity} --region ${quoted(region)}   # or give --account ID`,
    )
  })
  if (Account === undefined)
    throw new Failure('STS names no account for these credentials; give --account ID.', identity)
  return Account
}

/** The given name, else the deployment's SSM parameter. */
export const tableIn = async ({ table, stack, hubRegion, region }: RecordsPlace): Promise<Table> => {
  const ofArn = /^arn:[\w-]+:dynamodb:([\w-]+):\d{12}:table\/[\w.-]+$/.exec(table ?? '')?.[1]
  if (table !== undefined) return { name: table, region: hubRegion ?? ofArn ?? region }
  const home = hubRegion ?? region
  const name = recordsParameter(stack)
  const { signedCall } = await import('../../shared/clients/aws/signed-call.ts')
  const { STSClient } = await import('@aws-sdk/client-sts')
  const { credentials } = new STSClient({ region: home, ...limited, ...(await sdkOptions()) }).config
  withProxiedFetch()
  const endpoint = process.env['AWS_ENDPOINT_URL_SSM'] ?? process.env['AWS_ENDPOINT_URL']
  const place = { service: 'ssm', protocol: '1.1', region: home, credentials, endpoint } as const
  // Also where the source of the credentials does not answer.
  const call = inTime('ssm:GetParameter', () => signedCall(place, 'AmazonSSM.GetParameter', { Name: name }))
  const answer = await call.catch((error: unknown) => {
    refuseWithoutCredentials(error, 'ssm:GetParameter')
    throw new Failure(
      `The records of ${quoted(stack)} in ${quoted(home)} are not found: SSM parameter ${name}: ${said(error)}. Give --hub-region, --stack or --table.`,
      `aws ssm get-parameters-by-path --path /calico-ipvs-sync --recursive --region ${quoted(home)}`,
    )
  })
  const value = (answer as { Parameter?: { Value?: unknown } }).Parameter?.Value
  if (typeof value !== 'string' || !/^[\w.-]{3,255}$/.test(value))
    throw new Failure(`The SSM parameter ${name} contains no table name.`, 'npm run deploy')
  return { name: value, region: home }
}

/** An error of DynamoDB, in one sentence. */
export const failureOf = (error: unknown, { name, region }: Table): Failure => {
  const failure = awsFailure(error, 'dynamodb:Query')
  if (isWithoutCredentials(failure)) return withoutCredentials(failure)
  const kind = nameOf(error)
  const at = `--region ${quoted(region)}`
  if (kind === 'ResourceNotFoundException')
    return new Failure(
      `There is no table ${quoted(name)} in ${quoted(region)}; give --hub-region, or another --table.`,
      `aws dynamodb list-tables ${at}`,
    )
  if (/AccessDenied/.test(kind))
    return new Failure(
      `These credentials may not read the records: dynamodb:Query on the table ${quoted(name)} is denied.`,
      `${identity} ${at}`,
    )
  return new Failure(
    `The records cannot be read: ${said(error)}`,
    `aws dynamodb describe-table --table-name ${quoted(name)} ${at}`,
  )
}

const refuseWithoutCredentials = (error: unknown, call: string): void => {
  const failure = awsFailure(error, call)
  if (isWithoutCredentials(failure)) throw withoutCredentials(failure)
}

/** A client's error may have its name in the message. */
const said = (error: unknown): string => {
  if (!(error instanceof Error)) return oneLine(String(error))
  return oneLine(error.message.includes(error.name) ? error.message : `${error.name}: ${error.message}`)
}
