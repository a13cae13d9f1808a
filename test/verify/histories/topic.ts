import type { SNSClient } from '@aws-sdk/client-sns'
import { call, type Party } from './call.ts'
import type { Stage } from './stage.ts'
import { errorsOf } from './table.ts'

export interface Published {
  at: number
  topic: string
  by: string
  subject: string
  /** The id of the notice: the same where it is sent again. */
  notice: string
  kind: string
  clusters: string[]
}

/** The topic of all notices, and one outside the deployment. */
export const topics = {
  all: 'arn:aws:sns:eu-central-1:111122223333:notices',
  team: 'arn:aws:sns:eu-central-1:9999:team',
}

interface Publish {
  TopicArn?: string
  Subject?: string
  MessageAttributes?: Record<string, { StringValue?: string }>
}

/** SNS: `published` is what its subscribers got. */
export const topicOf = (stage: Stage, published: Published[]) => ({
  client: (party: Party): SNSClient => {
    const send = ({ input }: { input: Publish }) =>
      call(stage, party, {
        what: 'SNS Publish',
        isWrite: true,
        errors: errorsOf('SNS'),
        effect: () => {
          const value = (name: string) => input.MessageAttributes?.[name]?.StringValue ?? ''
          const cluster = value('cluster')
          published.push({
            at: stage.schedule.now(),
            topic: input.TopicArn ?? '',
            by: party.name,
            subject: input.Subject ?? '',
            notice: value('notice'),
            kind: value('kind'),
            clusters: cluster.startsWith('[') ? (JSON.parse(cluster) as string[]) : [cluster],
          })
          stage.note('SNS', `published: ${input.Subject} ${value('notice')}`)
          return { MessageId: `n${published.length}` }
        },
      })
    return { send } as unknown as SNSClient
  },
})
