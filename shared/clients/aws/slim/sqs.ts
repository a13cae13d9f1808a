import { clientOf, operation } from './client.ts'
import { jsonRpc } from './json-rpc.ts'

export const SendMessageCommand = /* @__PURE__ */ operation('AmazonSQS.SendMessage')
export const SendMessageBatchCommand = /* @__PURE__ */ operation('AmazonSQS.SendMessageBatch')
export const ChangeMessageVisibilityCommand = /* @__PURE__ */ operation('AmazonSQS.ChangeMessageVisibility')

const about = { service: 'sqs', serviceId: 'SQS' }

/** A queue is called where its URL is, whatever endpoint the environment names. */
const atQueue = ({ QueueUrl: url }: Record<string, unknown>) =>
  typeof url === 'string' ? { at: new URL(url).origin } : {}

export const SQSClient = /* @__PURE__ */ clientOf(/* @__PURE__ */ jsonRpc(about, { version: '1.0', at: atQueue }))
