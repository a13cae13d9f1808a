// What reading a fleet costs at least: the list of a region, then of each cluster what EKS describes and what its API server
// has, as many at once as a sweep. The signatures are none, which this machine's EKS does not mind.
import { Agent, get } from 'node:http'
import { readCluster } from './floor-reads.mjs'

const { url, region, accessKeyId, sessionToken, atOnce } = JSON.parse(process.env['FLOOR'] ?? '{}')
const agent = new Agent({ keepAlive: true })
const headers = {
  'x-amz-security-token': sessionToken,
  authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/${region}/eks/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
}

const ask = (path) =>
  new Promise((resolve, reject) => {
    get(new URL(path, url), { agent, headers }, (response) => {
      const pieces = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('end', () => resolve(JSON.parse(Buffer.concat(pieces).toString())))
    }).on('error', reject)
  })

const names = []
for (let next = ''; next !== undefined; ) {
  const page = await ask(`/clusters?${new URLSearchParams({ maxResults: '100', ...(next && { nextToken: next }) })}`)
  names.push(...page.clusters)
  next = page.nextToken
}
const waiting = names.values()
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (const name of waiting) {
      const [{ cluster }] = await Promise.all([ask(`/clusters/${name}`), ask(`/clusters/${name}/addons/kube-proxy`)])
      const ca = Buffer.from(cluster.certificateAuthority.data, 'base64').toString()
      await readCluster({ server: cluster.endpoint, ca, token: 'a viewer' })
    }
  }),
)
agent.destroy()
