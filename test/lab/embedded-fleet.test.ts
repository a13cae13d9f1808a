import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import type { Json } from '../contract/behaviour.ts'
import { until } from '../until.ts'

const calico = { version: 'v3.28.2', install: 'operator' as const }

describe('embedded API servers in number and size', () => {
  const workdir = mkdtempSync(join(tmpdir(), 'fleet-'))
  afterAll(() => rmSync(workdir, { recursive: true, force: true }))

  it('stand side by side by the hundred, each with state of its own', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `fleet-${index}`)
    const clusters = await Promise.all(names.map((name) => startEmbedded({ name, workdir })))
    try {
      expect(new Set(clusters.map(({ server }) => server)).size).toBe(100)
      const [first, second] = clusters
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine' } }
      await first?.request('POST', '/api/v1/namespaces/default/configmaps', body)
      await expect(second?.request('GET', '/api/v1/namespaces/default/configmaps/mine')).rejects.toMatchObject({
        status: 404,
      })
      await expect(second?.request('GET', '/readyz')).resolves.toBe('ok')
    } finally {
      await Promise.all(clusters.map((cluster) => cluster.stop()))
    }
  })

  it('hold 500 nodes with their pods, and roll them', async () => {
    const cluster = await startEmbedded({ name: 'large', workdir })
    try {
      await populate(cluster, { nodes: 500, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
      const { items } = (await cluster.request('GET', '/api/v1/pods?limit=2000')) as Json
      expect(items).toHaveLength(1000)
      const path = '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy'
      const change = { spec: { template: { metadata: { annotations: { turn: '2' } } } } }
      await cluster.request('PATCH', path, change, 'application/merge-patch+json')
      await until('all kube-proxy pods are new', async () => {
        const { status } = (await cluster.request('GET', path)) as Json
        return (
          status.observedGeneration === 2 && status.updatedNumberScheduled === 500 && status.numberAvailable === 500
        )
      })
    } finally {
      await cluster.stop()
    }
  })

  it('leave nothing listening when they stop', async () => {
    const cluster = await startEmbedded({ name: 'stopped', workdir })
    await cluster.stop()
    await expect(fetch(`${cluster.server}/version`)).rejects.toThrow()
  })
})
