import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'

/** Documents of a deployment, by key; an existing object is kept as an earlier version. */
export interface ReportsBucket {
  put: (key: string, document: { type: string; body: Uint8Array }) => Promise<void>
}

/** Bodies are compressed, with the matching Content-Encoding. */
export const reportsBucket = (s3: S3Client, bucket: string): ReportsBucket => ({
  put: async (key, { type, body }) => {
    const about = { ContentType: type, ContentEncoding: 'gzip', CacheControl: 'no-cache' }
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...about }))
  },
})
