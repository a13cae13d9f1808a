import { describe, expect, test } from '@jest/globals'
import { cpuTime } from '../cpu-time.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import type { NodeReport } from '../../shared/domain/report.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { cluster } from './ingredients.ts'
import { edited, healthy, nodeNamed, nodesOf, objectNamed, podsOf, rangeKey, setOf, times } from './states.ts'

const report = (state: ClusterState) => assess(state, defaultPolicy).report
const node = (state: ClusterState, name = 'node-0001'): NodeReport | undefined =>
  report(state).nodes.find((it) => it.name === name)

describe('the report', () => {
  test('of a healthy cluster says everything, with nothing null', () => {
    const found = report(healthy())
    expect(found).toMatchObject({
      schemaVersion: 1,
      verdict: 'in-step',
      observedAt: times.observed,
      serviceRange: { min: 30000, max: 32767, source: 'eks-api' },
      desiredRange: ['30000:32767'],
      calico: { version: 'v3.30.3', install: 'operator', api: 'projectcalico.org/v3' },
      kubeProxy: { configuredMode: 'ipvs', addonVersion: 'v1.34.1-eksbuild.2' },
    })
    expect(found.nodes[0]).toEqual({
      name: 'node-0001',
      verdict: 'in-step',
      runningMode: 'ipvs',
      confidence: 'likely',
      felixIpvs: true,
      effectiveRange: ['30000:32767'],
      rangeSource: 'default',
      markMask: '0xffff0000',
      markCapacity: 2046,
      podsMax: 110,
    })
    expect(JSON.stringify(found)).not.toContain('null')
  })

  test('is the same from a state that went through JSON', () => {
    for (const given of ['nothing', 'eks range 30000-34000, two spellings', 'denied felix', 'two calicos']) {
      const state = cluster(given)
      expect(report(JSON.parse(JSON.stringify(state)) as ClusterState)).toEqual(report(state))
    }
  })

  test('does not change the state it is made of', () => {
    const state = cluster('eks range 30000-34000, spec 30000:34000, node port 29000')
    const before = JSON.stringify(state)
    report(state)
    expect(JSON.stringify(state)).toBe(before)
  })

  test('has the capacity only where IPVS is active or configured, and 0 where Felix would not start', () => {
    expect(node(cluster('mode iptables'))).not.toHaveProperty('markCapacity')
    expect(node(cluster('mode iptables, mode changed to ipvs, kube-proxy log iptables'))?.markCapacity).toBe(2046)
    expect(node(cluster('mask nonsense'))?.markCapacity).toBe(0)
    expect(node(cluster('mask 0x1f0000'))?.markCapacity).toBe(0)
  })

  test.each([
    ['annotation 30000:34000', 'global', ['30000:34000']],
    ['annotation none', 'global', []],
    ['annotation 30000-34000', 'global', ['30000:32767']],
    ['node annotation 30000:34000', 'host', ['30000:34000']],
    ['env FELIX_KUBENODEPORTRANGES=30000:34000', 'env', ['30000:34000']],
    ['calico v3.32.1, selector annotation 30000:34000', 'selector', ['30000:34000']],
    ['nothing', 'default', ['30000:32767']],
  ])('with %s names the layer %s', (given, source, range) => {
    expect(node(cluster(given))).toMatchObject({ rangeSource: source, effectiveRange: range })
  })

  test('lists nodes outside the question with their reason', () => {
    const state = edited(cluster('one fargate'), (it) => {
      it.nodes = read([
        ...nodesOf(it),
        nodeNamed('win', { labels: { 'kubernetes.io/os': 'windows' } }),
        nodeNamed('auto', { labels: { 'kubernetes.io/os': 'linux', 'eks.amazonaws.com/compute-type': 'auto' } }),
        nodeNamed('virtual', { labels: { 'kubernetes.io/os': 'linux', type: 'virtual-kubelet' } }),
        nodeNamed('unscheduled'),
      ])
      // Its affinity or a taint keeps calico-node off one node; the DaemonSet does not ask for a pod there.
      setOf(it, 'calico-node').status.desired = 2
    })
    const outside = report(state).nodes.filter(({ verdict }) => verdict === 'not-applicable')
    expect(outside.map(({ name }) => name)).toEqual(['auto', 'node-0001', 'unscheduled', 'virtual', 'win'].sort())
    for (const it of outside) {
      expect(it).toEqual({
        name: it.name,
        verdict: 'not-applicable',
        reason: it.reason,
        runningMode: 'unknown',
        confidence: 'none',
      })
      expect(it.reason).toBeTruthy()
    }
  })

  test('of an unreachable cluster is a row that claims nothing', () => {
    const state = edited(cluster('unreachable, no eks'), (it) => {
      it.installation = failed({ kind: 'unreachable', object: 'Installation/default', message: 'connect ETIMEDOUT' })
    })
    const { findings, ...said } = report(state)
    expect(said).toEqual({
      schemaVersion: 1,
      cluster: state.cluster,
      observedAt: times.observed,
      verdict: 'unknown',
      // Assumed and said so.
      serviceRange: { min: 30000, max: 32767, source: 'default' },
      nodes: [],
    })
    expect(findings.map(({ code }) => code)).toEqual(['UNREACHABLE'])
  })

  test('says of Calico and kube-proxy only what was read', () => {
    const blind = (given: string) => report(edited(cluster(given), (it) => void (it.installation = read(undefined))))
    expect(blind('denied daemonsets')).not.toHaveProperty('calico')
    expect(report(cluster('denied daemonsets')).calico?.install).toBe('operator')
    expect(blind('denied pods, no eks').kubeProxy).toEqual({ configuredMode: 'ipvs' })
    expect(blind('denied kube-proxy config, no eks')).not.toHaveProperty('kubeProxy')
    expect(blind('denied kube-proxy config').kubeProxy).toEqual({ addonVersion: 'v1.34.1-eksbuild.2' })
    for (const given of ['denied daemonsets, denied pods', 'denied pods', 'denied felix']) {
      // Felix's environment, which beats every object, stands in its pods; and without objects there is no telling either.
      for (const said of ['effectiveRange', 'rangeSource', 'markMask', 'felixIpvs'])
        expect(node(cluster(given))).not.toHaveProperty(said)
    }
    expect(report(cluster('no calico')).calico).toEqual({ install: 'none' })
  })

  test('of a cluster without nodes is not applicable', () => {
    expect(report(healthy({ nodes: 0 })).verdict).toBe('not-applicable')
  })
})

describe('a node that DaemonSets leave out', () => {
  const without = (state: ClusterState, name: string, roles: string[]) =>
    void (state.pods = read((valueOf(state.pods) ?? []).filter((it) => it.node !== name || !roles.includes(it.role))))
  const affinity = [{ labels: [{ key: 'pool', operator: 'NotIn', values: ['bare'] }], fields: [] }]
  /** calico-node is missing on the second node too, so that numbers tell nothing. */
  const bare = (over: (state: ClusterState) => void) =>
    edited(healthy(), (it) => {
      Object.assign(nodesOf(it)[0] ?? {}, { labels: { 'kubernetes.io/os': 'linux', pool: 'bare' } })
      for (const role of ['kube-proxy', 'calico-node'] as const) setOf(it, role).status.desired = 2
      over(it)
      without(it, 'node-0002', ['calico-node'])
    })

  test('by affinity is outside, and nobody is troubled by its missing kube-proxy', () => {
    const found = report(
      bare((it) => {
        for (const role of ['kube-proxy', 'calico-node'] as const) setOf(it, role).affinity = affinity
        without(it, 'node-0001', ['kube-proxy', 'calico-node'])
      }),
    )
    expect(found.nodes[0]).toMatchObject({
      verdict: 'not-applicable',
      reason: 'the DaemonSet calico-node excludes this node: node affinity',
    })
    expect(found.nodes.slice(1).map(({ verdict }) => verdict)).toEqual(['unknown', 'in-step'])
    expect(found.findings.map(({ code }) => code)).toEqual(['NODES_NOT_READY', 'IPVS_DEPRECATED'])
  })

  test('by a taint too', () => {
    const found = report(
      bare((it) => {
        Object.assign(nodesOf(it)[0] ?? {}, { taints: [{ key: 'bare', effect: 'NoSchedule' }] })
        without(it, 'node-0001', ['kube-proxy', 'calico-node'])
      }),
    )
    expect(found.nodes[0]?.reason).toBe(
      'the DaemonSet calico-node excludes this node: no toleration for the taint bare',
    )
  })

  test('with Calico but without kube-proxy is unknown, and why is said', () => {
    const found = report(
      edited(healthy(), (it) => {
        Object.assign(nodesOf(it)[0] ?? {}, {
          labels: { 'kubernetes.io/os': 'linux', pool: 'bare' },
          // Young: but a kube-proxy that is not meant to come is not on its way.
          createdAt: times.observed,
        })
        setOf(it, 'kube-proxy').affinity = affinity
        without(it, 'node-0001', ['kube-proxy'])
      }),
    )
    expect(found.nodes[0]?.verdict).toBe('unknown')
    expect(found.findings.find(({ code }) => code === 'MODE_UNPROVEN')?.message).toContain(
      'the DaemonSet kube-proxy excludes this node: node affinity',
    )
  })
})

describe('labels of Calico alone', () => {
  const chosenBy = (nodeSelector: string) =>
    edited(healthy({ calico: 'v3.32.1' }), (it) => {
      objectNamed(it, 'rack').spec = { nodeSelector }
      objectNamed(it, 'rack').annotations[rangeKey] = '30000:34000'
      Object.assign(nodesOf(it)[0] ?? {}, { calicoLabels: { rack: 'r1', 'kubernetes.io/os': 'other' } })
    })

  test('count for selectors of FelixConfigurations', () => {
    expect(report(chosenBy("rack == 'r1'")).nodes.map(({ rangeSource }) => rangeSource)).toEqual([
      'selector',
      'default',
      'default',
    ])
  })

  test('stand behind those of Kubernetes', () => {
    expect(node(chosenBy("kubernetes.io/os == 'other'"))?.rangeSource).toBe('default')
  })
})

test('definitions of projectcalico.org/v3 without an API server are no good to a Calico before 3.32', () => {
  const native = (calico: string) =>
    edited(healthy({ calico }), (it) => void Object.assign(valueOf(it.felix) ?? {}, { nativeV3: true }))
  expect(report(native('v3.32.1')).verdict).toBe('in-step')
  const old = report(native('v3.31.7'))
  expect(old.verdict).toBe('out-of-step')
  expect(old.findings[0]?.message).toContain('this version cannot use projectcalico.org/v3 CRDs')
})

describe('nodes that differ', () => {
  test('each has the version its own pod says', () => {
    const given = 'mode iptables, mode changed to ipvs, kube-proxy restarted, calico log no ipvs on one'
    const state = edited(cluster(given), (it) => {
      for (const pod of podsOf(it, 'calico-node').slice(0, 1)) pod.image = 'quay.io/calico/node:v3.22.2'
    })
    expect(report(state).nodes.map(({ verdict }) => verdict)).toEqual(['out-of-step', 'in-step', 'in-step'])
    const { nodes } = assess(state, defaultPolicy)
    expect(nodes.map(({ missedMode }) => missedMode)).toEqual([true, false, false])
    expect(nodes.map(({ olderThanMode }) => olderThanMode)).toEqual([true, true, true])
  })

  test('an image named by digest has the version that Calico wrote down', () => {
    const state = edited(healthy({ calico: 'v3.28.4' }), (it) => {
      for (const pod of podsOf(it, 'calico-node')) pod.image = 'quay.io/calico/node@sha256:0123'
    })
    expect(report(state).calico?.version).toBe('v3.28.4')
    expect(node(state)?.markCapacity).toBe(4094)
  })

  test('a manifest install is told from the operator by its namespace', () => {
    const state = edited(healthy(), (it) => {
      Object.assign(setOf(it, 'calico-node'), { namespace: 'kube-system' })
      it.installation = read(undefined)
    })
    expect(report(state).calico?.install).toBe('manifest')
  })

  test('environment by reference and by envFrom counts', () => {
    const state = edited(healthy(), (it) => {
      it.configMaps['calico-system/extra'] = read({
        data: { KUBENODEPORTRANGES: '30000:31000', range: '30000:33000' },
        createdAt: times.installed,
        managedFields: [],
        labels: {},
        annotations: {},
      })
      const [first, second] = podsOf(it, 'calico-node')
      if (first) first.envFrom = [{ configMap: 'extra', optional: false, prefix: 'FELIX_' }]
      if (first) first.revision = 'r2'
      if (second)
        second.env = [{ name: 'Felix_KubeNodePortRanges', from: { configMap: 'extra', key: 'range', optional: false } }]
      if (second) second.revision = 'r3'
    })
    expect(node(state, 'node-0001')).toMatchObject({ effectiveRange: ['30000:31000'], rangeSource: 'env' })
    expect(node(state, 'node-0002')).toMatchObject({ effectiveRange: ['30000:33000'], rangeSource: 'env' })
    expect(node(state, 'node-0003')).toMatchObject({ rangeSource: 'default' })
  })

  test("kube-proxy's own masquerade bit is the one that may not be taken", () => {
    const withBit = (mask: string) =>
      edited(cluster(`mask ${mask}`), (it) => {
        const config = valueOf(it.configMaps['kube-system/kube-proxy-config'])
        if (config) config.data['config'] = 'mode: ipvs\niptables:\n  masqueradeBit: 20\n'
      })
    expect(report(withBit('0xffff0000')).findings.map(({ code }) => code)).toContain('MARK_OVERLAP')
    expect(report(withBit('0xffef4000')).findings.map(({ code }) => code)).not.toContain('MARK_OVERLAP')
  })
})

describe('what planning is given', () => {
  test('nodes that differ, that are broken, and what is desired', () => {
    const state = edited(cluster('eks range 30000-34000, calico not ready on one, node port 29000'), (it) => {
      objectNamed(it, 'node.node-0003').annotations[rangeKey] = '29000,30000:34000'
    })
    const { nodes, desired } = assess(state, defaultPolicy)
    expect(desired).toEqual([
      { min: 29000, max: 29000 },
      { min: 30000, max: 34000 },
    ])
    expect(nodes.map(({ rangeDiffers }) => rangeDiffers)).toEqual([true, true, false])
    expect(nodes.map(({ broken }) => broken)).toEqual([true, false, false])
    expect(
      nodes.every(({ applicable, felix, calicoPod, kubeProxyPod }) => applicable && felix && calicoPod && kubeProxyPod),
    ).toBe(true)
  })

  test('no desired range where Services could not be read', () => {
    expect(assess(cluster('denied services'), defaultPolicy).desired).toBeUndefined()
  })
})

test('5,000 nodes, a third of them with an override, take a moment', () => {
  const state = edited(healthy({ nodes: 5000, eks: { serviceNodePortRange: { min: 30000, max: 34000 } } }), (it) => {
    const objects = valueOf(it.felix)?.objects
    for (const [at, { name }] of nodesOf(it).entries()) {
      const override = {
        ...objects?.[0],
        name: `node.${name}`,
        annotations: { [rangeKey]: `30000:${33000 + (at % 10)}` },
      }
      if (at % 3 === 0) objects?.push(override as NonNullable<typeof objects>[number])
    }
  })
  const started = cpuTime()
  const found = report(state)
  // Generous: two cores are shared with whatever else runs. Anything quadratic takes minutes.
  expect(cpuTime() - started).toBeLessThan(8000)
  expect(found.nodes).toHaveLength(5000)
  expect(found.findings.length).toBeLessThan(30)
})
