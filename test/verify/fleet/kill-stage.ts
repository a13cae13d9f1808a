import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { Cloud } from '../../../lab/aws/cloud.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { webhookSecret } from '../../../lab/demo/deployment.ts'
import { assemble } from '../../flow/assemble.ts'
import { shortDelays } from '../../flow/place.ts'
import { witness, type Witness } from '../../flow/witness.ts'
import { accounts, type FleetStage, hub, nameIn, type Place, raiseFleet } from './stage.ts'

const [, spoke, closing] = accounts
/** The cluster that is put in step, by the roles of a spoke. */
export const there: Place = { account: spoke, region: hub.region }

export interface KillStage extends FleetStage {
  witness: Witness
  /** From now on each message's first delivery is killed before its so manyth request; absent: none is. */
  killAt: (request?: number) => void
  /** Of each kill since the last time that this was asked: the function, and what it had asked for. The last request was not made. */
  kills: () => Kill[]
  setClosed: (isClosed: boolean) => Promise<void>
}

export interface Kill {
  function: string
  requests: string[]
}

/** A hub with two spokes, one of which has no cluster, whose functions can be killed at each of their requests. */
export const raiseKillStage = async (folder: string): Promise<KillStage> => {
  const cutShort = join(folder, 'cut-short')
  mkdirSync(cutShort)
  const settings = {
    accounts: accounts.map((account) => ({ account })),
    regions: [hub.region],
    slackWebhookSecretArn: webhookSecret,
    policy: { action: 'sync', canarySeconds: 1, settleSeconds: 1, clustersAtOnce: 1 },
  }
  let isClosed = false
  const stage = await raiseFleet(await assemble(folder, settings), {
    among: [hub, there],
    isClosed: (account) => isClosed && account === closing,
    // What was killed comes again at once.
    cloud: { cutShort, timeScale: 1 / 10_000, delays: shortDelays, onMoment: (moment) => act(moment) },
  })
  const { cloud, clusters, moments } = stage
  cloud.secrets.put(webhookSecret, cloud.slack.webhookUrl)
  const clock = claimClock(cloud)
  const act = (moment: Moment) => {
    moments.push(moment)
    // Who comes next after a death waits for minutes until nobody else can be sending the notice.
    if (moment.kind === 'batch' && moment.failed.length > 0) clock.letPass()
  }
  const cluster = clusters.get(nameIn(there))
  if (!cluster) throw new Error('The stage has no cluster in the spoke.')
  const seen = await witness(cluster, 2)
  return {
    ...stage,
    witness: seen,
    killAt: (at) => {
      const plan = join(cutShort, 'plan.json')
      if (at === undefined) rmSync(plan, { force: true })
      else writeFileSync(plan, JSON.stringify({ at }))
    },
    kills: () =>
      readdirSync(cutShort)
        .filter((name) => name.startsWith('cut-'))
        .map((name) => {
          const text = readFileSync(join(cutShort, name), 'utf8')
          rmSync(join(cutShort, name))
          return JSON.parse(text) as Kill
        }),
    setClosed: async (closed) => {
      isClosed = closed
      // Sessions that a function keeps are good for an hour.
      await cloud.kill('ListClusters')
    },
    stop: async () => {
      seen.stop()
      await clock.stop()
      await stage.stop()
    },
  }
}

/** A claim of a notice of which nobody says that it was sent counts for five minutes; here its message comes again at once, so they must pass. */
const claimClock = ({ credentials, endpoints, stack }: Cloud) => {
  const endpoint = endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? ''
  const dynamo = new DynamoDBClient({ region: hub.region, credentials, endpoint })
  const TableName = stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const age = async () => {
    for await (const { Items = [] } of paginateScan({ client: dynamo }, { TableName }))
      for (const { cluster, record, toldAt } of Items) {
        if (!cluster || !record?.S?.startsWith('told#') || toldAt) continue
        const update = new UpdateItemCommand({
          TableName,
          Key: { cluster, record },
          UpdateExpression: 'SET claimedAt = :long',
          ConditionExpression: 'attribute_exists(claimedAt) AND attribute_not_exists(toldAt)',
          ExpressionAttributeValues: { ':long': { N: '0' } },
        })
        await dynamo.send(update).catch((error: unknown) => {
          if (!(error instanceof ConditionalCheckFailedException)) throw error
        })
      }
  }
  let running = Promise.resolve()
  return {
    letPass: () => void (running = running.then(age)),
    stop: async () => {
      await running
      dynamo.destroy()
    },
  }
}
