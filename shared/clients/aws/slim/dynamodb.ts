import { clientOf, operation } from './client.ts'
import { jsonRpc } from './json-rpc.ts'

export class ConditionalCheckFailedException extends Error {}

export const GetItemCommand = /* @__PURE__ */ operation('DynamoDB_20120810.GetItem')
export const PutItemCommand = /* @__PURE__ */ operation('DynamoDB_20120810.PutItem')
export const DeleteItemCommand = /* @__PURE__ */ operation('DynamoDB_20120810.DeleteItem')
export const QueryCommand = /* @__PURE__ */ operation('DynamoDB_20120810.Query')

const about = { service: 'dynamodb', serviceId: 'DynamoDB', errors: { ConditionalCheckFailedException } }

/** Each value is in an object that names its type; bytes (`B`) are base64 in JSON. */
export const DynamoDBClient = /* @__PURE__ */ clientOf(
  /* @__PURE__ */ jsonRpc(about, {
    version: '1.0',
    written: (key, it) => (key === 'B' && it instanceof Uint8Array ? Buffer.from(it).toString('base64') : it),
    read: (key, it) => (key === 'B' && typeof it === 'string' ? new Uint8Array(Buffer.from(it, 'base64')) : it),
  }),
)
