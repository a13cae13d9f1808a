import { setTimeout as delay } from 'node:timers/promises'
import { AwsError } from './aws-error.ts'
import { accessOperations } from './eks-access.ts'
import { addonOperations } from './eks-addons.ts'
import { clusterOperations } from './eks-clusters.ts'
import { type ClusterSeed, eksError, type Holding, holdingOf, newAccessEntry, type Place } from './eks-model.ts'
import type { EksCall, EksContext, EksHooks, Operation, Operations } from './eks-operation.ts'
import { apiCallEvent } from './eks-trail.ts'
import { createUpdates } from './eks-updates.ts'
import type { Stack } from './template.ts'
import { versionOperations } from './eks-versions.ts'
import { type Answer, type Request, serve } from './endpoint.ts'
import { groups } from '../../shared/domain/grant/groups.ts'
import { type Fields, parseFields } from './json.ts'
import type { Caller, Keyring } from './keyring.ts'

const operations: Operations = { ...clusterOperations, ...addonOperations, ...accessOperations, ...versionOperations }

export interface EksOptions extends EksHooks {
  keyring: Keyring
  /** Where seeds belong that do not say. */
  place: Place
  clusters?: ClusterSeed[]
  /** How long an update takes, milliseconds; 200 when absent. */
  updateMilliseconds?: number
  /** Told of every accepted signature, before the call is carried out. */
  onCall?(operation: string, callerArn: string): void
}

/** A call that goes wrong. Without `operation` or `cluster` it is any; without `times` it goes on until taken back. */
export interface Fault {
  operation?: string
  cluster?: string
  /** `ThrottlingException`, `AccessDeniedException`, `ServiceUnavailableException`, … */
  error: string
  message?: string
  times?: number
}

export interface EksStandIn {
  url: string
  /** Calls so far by operation, refused ones included. */
  calls: Record<string, number>
  addCluster(seed: ClusterSeed): void
  /** At once and without an event, as if it had been deleted long ago. */
  removeCluster: (name: string) => void
  /** An access entry, as by CreateAccessEntry; throws where there is no such cluster. */
  grant: (clusterName: string, principalArn: string, kubernetesGroups: string[]) => void
  /** Does what the stack's output `GrantCommand` says, as whoever pastes it; all its clusters must be there. */
  deploy(stack: Stack): void
  /** A cluster as the API sees it now. */
  cluster(name: string): Holding | undefined
  /** Answers how to take the fault back. */
  inject(fault: Fault): () => void
  setLatency(milliseconds: number): void
  /** However long it takes, no update comes to its end until the answer is called. */
  holdUpdates(): () => void
  failNextUpdate(clusterName: string, message: string): void
  updatesInProgress(): number
  stop(): Promise<void>
}

/** The EKS API as far as the tool and its tests go, on 127.0.0.1, with state. What is not here answers UnknownOperationException. */
export async function startEks(options: EksOptions): Promise<EksStandIn> {
  const { keyring, place, clusters = [], updateMilliseconds = 200 } = options
  const holdings = clusters.map((seed) => holdingOf(seed, place))
  const updates = createUpdates(updateMilliseconds)
  const context: EksContext = { ...options, holdings, updates }
  const calls: Record<string, number> = {}
  const faults: Fault[] = []
  let latency = 0
  const named = (name: string) => holdings.find(({ cluster }) => cluster.name === name)
  const grant: EksStandIn['grant'] = (clusterName, principalArn, kubernetesGroups) => {
    const holding = named(clusterName)
    if (holding === undefined)
      throw new Error(`An access entry is for ${clusterName}, which is not there; add the cluster first.`)
    holding.accessEntries.set(principalArn, newAccessEntry(holding, principalArn, { kubernetesGroups }))
  }
  const answer = async (request: Request): Promise<Answer> => {
    if (latency > 0) await delay(latency)
    const caller = keyring.caller(request.headers)
    const found = operationFor(request)
    calls[found.name] = (calls[found.name] ?? 0) + 1
    options.onCall?.(found.name, caller.credentials.arn)
    return perform({ ...found, request, caller, faults }, context)
  }
  const { url, close } = await serve((request) => answer(request).catch(refusal))
  return {
    url,
    calls,
    addCluster: (seed) => void holdings.push(holdingOf(seed, place)),
    removeCluster: (name) => void holdings.splice(holdings.findIndex(({ cluster }) => cluster.name === name) >>> 0, 1),
    cluster: named,
    grant,
    deploy: (stack) => {
      const words = (stack.outputs['GrantCommand'] ?? '').split(' ')
      const valuesOf = (option: string) => words.filter((_, at) => words[at - 1] === option)
      const [viewer, operator] = [...valuesOf('--viewer-role'), ...valuesOf('--operator-role')]
      for (const name of valuesOf('--cluster').filter((it) => it !== 'NAME')) {
        if (viewer !== undefined) grant(name, viewer, [groups.viewers])
        if (operator !== undefined) grant(name, operator, [groups.operators])
      }
    },
    inject: (fault) => {
      const injected = { ...fault }
      faults.push(injected)
      return () => void faults.splice(faults.indexOf(injected) >>> 0, 1)
    },
    setLatency: (milliseconds) => void (latency = milliseconds),
    holdUpdates: updates.hold,
    failNextUpdate: updates.failNext,
    updatesInProgress: updates.inProgress,
    stop: async () => {
      updates.stop()
      await close()
    },
  }
}

interface Found {
  name: string
  operation: Operation
  rawLabels: Record<string, string>
}

function operationFor({ method, path }: Request): Found {
  for (const [name, operation] of Object.entries(operations)) {
    const rawLabels = operation.method === method ? labelsOf(operation.path, path) : undefined
    if (rawLabels !== undefined) return { name, operation, rawLabels }
  }
  throw new AwsError('UnknownOperationException', 404, `The lab's EKS API has no ${method} ${path}`)
}

function labelsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  if (wanted.length !== given.length) return undefined
  const labels: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? ''
    if (part.startsWith('{')) labels[part.slice(1, -1)] = text
    else if (part !== text) return undefined
  }
  return labels
}

interface Attempt extends Found {
  request: Request
  caller: Caller
  faults: Fault[]
}

/** Carries the call out; a write, accepted or refused, leaves its event. */
function perform(attempt: Attempt, context: EksContext): Answer {
  const { name, operation, rawLabels, request, caller } = attempt
  const place = { account: caller.credentials.account, region: caller.region }
  const body = bodyOf(request)
  const labels = Object.fromEntries(Object.entries(rawLabels).map(([key, raw]) => [key, decodeURIComponent(raw)]))
  const logged = { operation: name, rawLabels, query: queryOf(request), body, callerArn: caller.credentials.arn, place }
  const report = (outcome: Record<string, unknown> | AwsError) => {
    if (operation.method !== 'GET') context.onEvent?.(apiCallEvent(logged, outcome))
  }
  const call: EksCall = { place, labels, query: request.query, body }
  try {
    failIfTold(attempt, labels['name'])
    const result = structuredClone(operation.run(call, context))
    report(result)
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result) }
  } catch (error) {
    if (error instanceof AwsError) report(error)
    throw error
  }
}

function failIfTold({ name, caller, faults }: Attempt, cluster: string | undefined): void {
  const fault = faults.find(
    (one) => (one.operation ?? name) === name && (one.cluster ?? cluster) === cluster && one.times !== 0,
  )
  if (fault === undefined) return
  if (fault.times !== undefined) fault.times -= 1
  const usual: Record<string, string> = {
    ThrottlingException: 'Rate exceeded',
    AccessDeniedException: `User: ${caller.credentials.arn} is not authorized to perform: eks:${name}`,
  }
  throw eksError(fault.error, fault.message ?? usual[fault.error] ?? 'Made to fail')
}

function bodyOf({ body }: Request): Fields {
  const fields = body === '' ? {} : parseFields(body)
  if (fields === undefined) throw eksError('InvalidRequestException', 'The body is not a JSON object')
  return fields
}

/** Query members of writes are `preserve`, a boolean, and `tagKeys`, a list. */
const queryOf = ({ query }: Request): Record<string, unknown> =>
  Object.fromEntries(
    [...new Set(query.keys())].map((key) => {
      const values = query.getAll(key)
      return [key, key === 'tagKeys' ? values : values[0] === 'true' || (values[0] === 'false' ? false : values[0])]
    }),
  )

function refusal(error: unknown): Answer {
  if (!(error instanceof AwsError)) throw error
  return {
    status: error.status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code },
    body: JSON.stringify({ ...error.fields, message: error.message }),
  }
}
