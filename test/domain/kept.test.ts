import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { kept } from '../../shared/domain/capture/kept.ts'
import { safeJson } from '../../shared/domain/plain.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { plantedSecrets, secretsIn } from '../hostile/planted-secrets.ts'
import { cluster } from './ingredients.ts'
import { edited, healthy } from './states.ts'

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
const givens = page('in-step.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Given'))
  .map((line) => line.split('|')[1]?.trim() ?? '')

const said = (state: ClusterState) => {
  const assessment = assess(state, defaultPolicy)
  return { ...assessment.report, plan: plan(assessment, state, defaultPolicy) }
}

/** Whatever others may have put where this tool has to look, or beside it. */
const withSecrets = (state: ClusterState, secret: string): ClusterState =>
  edited(state, (copy) => {
    const more = { 'acme.example/planted': secret, 'kubectl.kubernetes.io/planted': secret }
    for (const node of valueOf(copy.nodes) ?? []) {
      node.labels = { ...node.labels, ...more }
      node.calicoLabels = { ...node.calicoLabels, ...more }
    }
    for (const set of valueOf(copy.daemonSets) ?? []) {
      for (const texts of [set.labels, set.annotations, set.template.annotations]) Object.assign(texts, more)
      set.template.command.push(`--kubeconfig-token=${secret}`, secret)
      set.template.env.push(
        { name: 'FELIX_PLANTED', value: secret },
        { name: 'CALICO_PLANTED', value: secret },
        { name: 'FELIX_ETCDPASSWORD', value: secret },
      )
    }
    for (const pod of valueOf(copy.pods) ?? []) pod.env = [...pod.env, { name: 'FELIX_PLANTED', value: secret }]
    for (const it of Object.values(copy.configMaps)) {
      const map = valueOf(it)
      if (!map) continue
      for (const texts of [map.labels, map.annotations]) Object.assign(texts, more)
      const { config } = map.data
      if (config !== undefined && config.length < 10_000)
        map.data['config'] = `# ${secret.split('\n').join('\n# ')}\n${config}`
    }
    for (const object of valueOf(copy.felix)?.objects ?? []) {
      Object.assign(object.annotations, more, { 'config.projectcalico.org/EtcdPassword': secret })
      Object.assign(object.labels, more)
      object.spec['planted'] = { deep: [secret] }
    }
    const eks = valueOf(copy.eks)
    if (eks) Object.assign(eks.tags, more)
    const lease = valueOf(copy.rollout)
    if (lease) Object.assign(lease.annotations, more)
    const installation = valueOf(copy.installation)
    if (installation) Object.assign(installation.annotations, more)
  })

describe('a captured state', () => {
  test.each(givens)('is judged as it was seen: %s', (given) => {
    const seen = cluster(given)
    expect(said(kept(seen))).toEqual(said(seen))
  })

  test.each(givens.filter((_, at) => at % 7 === 0))('and so with what else there was: %s', (given) => {
    const seen = withSecrets(cluster(given), 'ghp_abcdefghijklmnopqrstuvwxyz0123456789')
    expect(said(kept(seen))).toEqual(said(seen))
    expect(secretsIn(JSON.stringify(said(seen)))).toEqual([])
  })

  test.each(plantedSecrets.map((it) => [it.kind, it] as const))(
    'holds no %s, wherever it stood',
    (_, { text, finds }) => {
      const planted = withSecrets(healthy({ felix: [{ name: 'default' }] }), text)
      expect(safeJson(kept(planted))).not.toContain(finds ?? text)
      expect(safeJson(kept(planted))).not.toContain('planted')
      expect(JSON.stringify(said(planted))).not.toContain(finds ?? text)
    },
  )

  test('holds nothing of what others put there, though it looks like no secret', () => {
    const planted = withSecrets(healthy({ felix: [{ name: 'default' }] }), 'sesame')
    expect(safeJson(planted)).toContain('sesame')
    expect(safeJson(kept(planted))).not.toContain('sesame')
  })

  test('holds nothing of a ConfigMap but what decides', () => {
    const state = edited(healthy(), (copy) => {
      const config = valueOf(copy.configMaps['kube-system/kube-proxy-config'] ?? read(undefined))
      if (config) config.data['kubeconfig.conf'] = 'users: [{user: {token: sesame}}]'
      copy.configMaps['calico-system/everything'] = read({
        data: {
          FELIX_INTERFACEEXCLUDE: 'kube-ipvs0',
          FELIX_ETCDPASSWORD: 'sesame',
          DATABASE: 'sesame',
          other: 'sesame',
        },
        createdAt: copy.observedAt,
        managedFields: [],
        labels: {},
        annotations: {},
      })
      for (const set of valueOf(copy.daemonSets) ?? [])
        if (set.role === 'calico-node') set.template.envFrom.push({ configMap: 'everything', optional: false })
    })
    const { configMaps } = kept(state)
    expect(valueOf(configMaps['calico-system/everything'])?.data).toEqual({ FELIX_INTERFACEEXCLUDE: 'kube-ipvs0' })
    expect(Object.keys(valueOf(configMaps['kube-system/kube-proxy-config'])?.data ?? {})).toEqual(['config'])
    expect(JSON.stringify(configMaps)).not.toContain('sesame')
  })

  test('keeps of a copy of the metadata the keys, and the values that decide', () => {
    const copied = {
      annotations: {
        'config.projectcalico.org/KubeNodePortRanges': '20000:22767',
        'kubectl.kubernetes.io/last-applied-configuration': '{"token":"sesame"}',
      },
      labels: { app: 'sesame' },
    }
    const seen = healthy({
      felix: [{ name: 'default', annotations: { 'projectcalico.org/metadata': JSON.stringify(copied) } }],
    })
    const text = JSON.stringify(kept(seen).felix)
    expect(text).toContain('20000:22767')
    expect(text).toContain('[left out]')
    expect(JSON.stringify(said(seen)) + text).not.toContain('sesame')
    expect(said(kept(seen))).toEqual(said(seen))
  })

  test('tells of a failure without what it held', () => {
    const state = {
      ...healthy(),
      nodePorts: failed<never>({ kind: 'denied', object: 'Services', message: 'Authorization: Bearer sesame-4711' }),
    }
    expect(JSON.stringify(kept(state))).not.toContain('sesame-4711')
  })

  test('is of fields that docs/security.md lists', () => {
    const listed = page('security.md').split('## What a captured state holds')[1]?.split('\n## ')[0] ?? ''
    const sections: unknown[] = Object.entries(kept(cluster(givens[0] ?? ''))).flatMap(([name, part]) =>
      name === 'cluster' || name === 'schemaVersion' ? [] : [part],
    )
    const known = new Set(listed.match(/`[^`]+`/g)?.map((it) => it.slice(1, -1)))
    const fields = new Set<string>()
    const walk = (it: unknown, depth: number): void => {
      if (Array.isArray(it)) return walk(it[0], depth)
      if (typeof it !== 'object' || it === null || depth > 2) return
      for (const [key, value] of Object.entries(it)) {
        if (key === 'value' || key.includes('/')) walk(value, depth)
        else {
          fields.add(key)
          if (key === 'template' || key === 'objects') walk(value, depth + 1)
        }
      }
    }
    for (const part of sections) walk(part, 0)
    expect([...fields].filter((field) => !known.has(field))).toEqual([])
  })
})
