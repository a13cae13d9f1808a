import { clientOf, endpointOf, namedEndpoint, type Operation, operation, type Sent } from './client.ts'
import { refusedInXml } from './query.ts'

export const PutObjectCommand = /* @__PURE__ */ operation('AmazonS3.PutObject')

const about = { service: 's3', serviceId: 'S3' }

/** A bucket has a host name of its own; where the environment names an endpoint it is in the path. */
function requestOf({ input }: Operation, region: string): Sent {
  const { Bucket, Key, Body, ContentType, ContentEncoding, CacheControl } = input as Record<string, string>
  const key = String(Key).split('/').map(encodeURIComponent).join('/')
  const isNamed = namedEndpoint(about) !== undefined
  return {
    method: 'PUT',
    path: isNamed ? `/${Bucket}/${key}` : `/${key}`,
    ...(!isNamed && { at: endpointOf(`${Bucket}.s3`, region) }),
    headers: {
      ...(ContentType && { 'content-type': ContentType }),
      ...(ContentEncoding && { 'content-encoding': ContentEncoding }),
      ...(CacheControl && { 'cache-control': CacheControl }),
    },
    ...(Body !== undefined && { body: Body }),
  }
}

/** What was sent is verified by its signature, which is over the body's hash. */
export const S3Client = /* @__PURE__ */ clientOf({
  ...about,
  request: requestOf,
  escapesPath: false,
  answer: () => ({}),
  refused: refusedInXml,
})
