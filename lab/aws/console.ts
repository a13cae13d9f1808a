import { randomUUID } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import type { Cloud } from './cloud.ts'
import { type Answer, type Request, serve } from './endpoint.ts'
import { fieldsOf, numberOf, parseFields, textOf } from './json.ts'
import type { Moment } from './moment.ts'
import type { Stack } from './template.ts'

/** What a person with `aws` asks of a deployed stack: CloudFormation's list of its resources and outputs, Lambda's Invoke, and lines of CloudWatch Logs. */
export interface Console {
  /** For `CloudOptions.onMoment`. */
  onMoment: (moment: Moment) => void
  /** Answers `AWS_ENDPOINT_URL_…` for these services. */
  open: (cloud: Cloud) => Promise<Record<string, string>>
  close: () => Promise<void>
}

interface Line {
  function: string
  timestamp: number
  message: string
}

export const createConsole = (): Console => {
  const lines: Line[] = []
  const opened: { close?: () => Promise<void> } = {}
  return {
    onMoment: (moment) => {
      if (moment.kind === 'log') lines.push({ function: moment.function, timestamp: Date.now(), message: moment.line })
    },
    open: async (cloud) => {
      const { url, close } = await serve((request) => answered(request, cloud, lines))
      opened.close = close
      return {
        AWS_ENDPOINT_URL_CLOUDFORMATION: url,
        AWS_ENDPOINT_URL_LAMBDA: url,
        AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: url,
      }
    },
    close: async () => opened.close?.(),
  }
}

const answered = async (request: Request, cloud: Cloud, lines: readonly Line[]): Promise<Answer> => {
  try {
    cloud.keyring.caller(request.headers)
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.path) ?? []
    if (name !== undefined) return await invoked(cloud, name, request.body)
    const operation = textOf(request.headers['x-amz-target'])?.split('.')[1]
    if (operation === 'FilterLogEvents') return json(events(cloud.stack, lines, request.body))
    const input = new URLSearchParams(request.body)
    const ofStack = stackAnswers[input.get('Action') ?? '']
    if (ofStack) return stackXml(cloud.stack, input, ofStack)
    throw new AwsError(
      'UnknownOperationException',
      400,
      `The lab has no ${operation ?? input.get('Action') ?? request.path}`,
    )
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    return { status: error.status, body: JSON.stringify({ __type: error.code, message: error.message }) }
  }
}

const json = (content: object): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(content),
})

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, synchronous: the answer is the function's. */
const invoked = async ({ stack, invoke }: Cloud, name: string, body: string): Promise<Answer> => {
  if (!stack.ofType('AWS::Lambda::Function').some((it) => it.name === name))
    throw new AwsError('ResourceNotFoundException', 404, `Function not found: ${name}`)
  const { result } = await invoke(name, body === '' ? {} : parseFields(body))
  return 'error' in result
    ? { status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(result.error) }
    : { status: 200, body: result.payload }
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html, without a pattern and in one page. */
const events = (stack: Stack, lines: readonly Line[], body: string): object => {
  const { logGroupName, startTime } = parseFields(body) ?? {}
  const functions = stack
    .ofType('AWS::Lambda::Function')
    .filter(({ properties }) => fieldsOf(properties['LoggingConfig'])['LogGroup'] === logGroupName)
    .map(({ label }) => label)
  if (functions.length === 0)
    throw new AwsError('ResourceNotFoundException', 400, 'The specified log group does not exist.')
  const from = numberOf(startTime) ?? 0
  const found = lines.filter((line) => functions.includes(line.function) && line.timestamp >= from)
  return {
    events: found.map(({ timestamp, message }) => ({
      timestamp,
      message,
      ingestionTime: timestamp,
      eventId: randomUUID(),
    })),
    searchedLogStreams: [],
  }
}

const member = (fields: Record<string, string>): string =>
  `<member>${Object.entries(fields)
    .map(([name, value]) => `<${name}>${escaped(value)}</${name}>`)
    .join('')}</member>`

const created = '2026-11-01T00:00:00Z'

/** By the action: what stands in its result. */
const stackAnswers: Record<string, (stack: Stack) => string> = {
  ListStackResources: ({ resources }) => {
    const members = resources.map(({ logicalId, ref, type }) =>
      member({
        LogicalResourceId: logicalId,
        PhysicalResourceId: ref,
        ResourceType: type,
        ResourceStatus: 'CREATE_COMPLETE',
        LastUpdatedTimestamp: created,
      }),
    )
    return `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>`
  },
  DescribeStacks: ({ stackName, outputs }) => {
    const members = Object.entries(outputs).map(([OutputKey, OutputValue]) => member({ OutputKey, OutputValue }))
    const about = `<StackName>${stackName}</StackName><CreationTime>${created}</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>`
    return `<Stacks><member>${about}<Outputs>${members.join('')}</Outputs></member></Stacks>`
  },
}

const stackXml = (stack: Stack, input: URLSearchParams, result: (stack: Stack) => string): Answer => {
  const [action, stackName] = [input.get('Action'), input.get('StackName')]
  if (stackName !== stack.stackName)
    throw new AwsError('ValidationError', 400, `Stack with id ${stackName} does not exist`)
  const body = `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><${action}Result>${result(stack)}</${action}Result></${action}Response>`
  return { status: 200, headers: { 'content-type': 'text/xml' }, body }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
