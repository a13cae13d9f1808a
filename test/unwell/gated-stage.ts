import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { fieldsOf } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { assemble, type GuardedStage, place, raise } from '../flow/guards-stage.ts'
import { type Gate, gate } from './gate.ts'

export const services = ['EKS', 'SSM', 'DYNAMODB', 'SQS', 'SNS'] as const
export type Service = (typeof services)[number]

/** The functions as they are deployed, with a gate in front of each service of AWS that they call. */
export interface GatedStage {
  stage: GuardedStage
  gates: Record<Service, Gate>
  /** What was told so far is forgotten, so that the next look tells anew. */
  forget: () => Promise<void>
  stop: () => Promise<void>
}

export const raiseGated = async (name: string, onMoment: (moment: Moment) => void): Promise<GatedStage> => {
  const folder = mkdtempSync(join(tmpdir(), 'unwell-functions-'))
  const stage = await raise(await assemble(folder), [name], 2, { onMoment })
  const { cloud } = stage
  const behind = await Promise.all(
    services.map(async (it) => [it, await gate(cloud.endpoints[`AWS_ENDPOINT_URL_${it}`] ?? '')] as const),
  )
  const gates = Object.fromEntries(behind) as Record<Service, Gate>
  const own = cloud.endpoints['AWS_ENDPOINT_URL_SQS'] ?? ''
  for (const { properties } of cloud.stack.ofType('AWS::Lambda::Function')) {
    const variables = fieldsOf(fieldsOf(properties['Environment'])['Variables'])
    for (const [key, value] of Object.entries(variables))
      if (typeof value === 'string' && key.endsWith('_URL')) variables[key] = value.replace(own, gates.SQS.url)
  }
  // What the functions are given; the lab itself goes to the endpoints as before.
  for (const it of services) cloud.endpoints[`AWS_ENDPOINT_URL_${it}`] = gates[it].url
  return {
    stage,
    gates,
    forget: () => forget(stage),
    stop: async () => {
      for (const it of Object.values(gates)) it.close()
      await stage.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

const forget = async ({ cloud: { credentials, endpoints, stack } }: GuardedStage): Promise<void> => {
  const client = new DynamoDBClient({ ...place, credentials, endpoint: endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '' })
  const TableName = stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  for (const { cluster, record } of Items)
    if (cluster && record) await client.send(new DeleteItemCommand({ TableName, Key: { cluster, record } }))
  client.destroy()
}
