import { clientOf, operation } from './client.ts'
import { query, textIn } from './query.ts'

export const PublishCommand = /* @__PURE__ */ operation('AmazonSimpleNotificationService.Publish')

const about = { service: 'sns', serviceId: 'SNS' }
export const SNSClient = /* @__PURE__ */ clientOf(
  /* @__PURE__ */ query(about, {
    version: '2010-03-31',
    answer: (xml) => ({ MessageId: textIn(xml, 'MessageId') }),
  }),
)
