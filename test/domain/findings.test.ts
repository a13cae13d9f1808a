import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { assess } from '../../shared/domain/assess/assess.ts'
import { ownerOf } from '../../shared/domain/facts/owner.ts'
import type { ClusterState, FelixObject } from '../../shared/domain/cluster.ts'
import { onObjects } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { findingCodes, type Finding } from '../../shared/domain/report.ts'
import { read, valueOf } from '../../shared/domain/read.ts'
import { cluster } from './ingredients.ts'
import { edited, felixObject, healthy, logged, nodesOf, objectNamed, owns, podsOf, rangeKey, setOf } from './states.ts'

const findings = (state: ClusterState, policy = defaultPolicy): Finding[] => assess(state, policy).report.findings
const finding = (code: string, state: ClusterState): Finding => {
  const found = findings(state).find((it) => it.code === code)
  if (!found) throw new Error(`${code} was not found`)
  return found
}
const wide = { eks: { serviceNodePortRange: { min: 30000, max: 34000 } } }

describe('a range on default that Felix ignores', () => {
  test.each([
    ['RANGE_SPEC_IGNORED', 'eks range 30000-34000, spec 30000:34000'],
    ['RANGE_INVALID', 'eks range 30000-34000, annotation 30000-34000'],
  ])(
    'or rejects (%s) is put right by `sync` first where the range is wrong: the patch restarts Felix everywhere',
    (code, given) => {
      const { remedy } = finding(code, cluster(given))
      expect(remedy).toMatch(/^calico-ipvs-sync sync .*\n.*restarts Felix on every node at once:\n/)
    },
  )

  test.each([
    ['', undefined],
    ['20000:30000', '20000:30000 in its annotation'],
  ])('is compared with the copy of the metadata (%j), which Felix prefers to the annotation', (copied, said) => {
    const annotations = { [rangeKey]: '30000:31000' }
    const copy = JSON.stringify({ annotations: { [rangeKey]: copied } })
    const state = edited(healthy(), (it) => {
      it.felix = read({ objects: valueOf(it.felix)?.objects ?? [], api: 'crd.projectcalico.org/v1' })
      const base = objectNamed(it, 'default')
      Object.assign(base.annotations, annotations, { 'projectcalico.org/metadata': copy })
      base.spec['kubeNodePortRanges'] = ['30000:34000']
    })
    const found = assess(state, defaultPolicy).report.findings.find(({ message }) => message.includes('counts'))
    expect(found?.message).toEqual(said === undefined ? undefined : expect.stringContaining(said))
  })

  test('is put right by the patch where the range is right already, and nothing is said of a mode', () => {
    const { remedy } = finding('RANGE_SPEC_IGNORED', cluster('spec 30000:39999'))
    expect(remedy).toMatch(/^kubectl .* patch /m)
    expect(remedy).not.toContain('IPVS is not active')
  })
})

describe('a kube-proxy that does not do as it is told', () => {
  test('for want of a kernel module is not to be restarted', () => {
    const { remedy, message } = finding(
      'MODE_NOT_ROLLED',
      cluster('kube-proxy v1.25.16, kube-proxy log missing ip_vs_lc'),
    )
    expect(message).toContain('kernel modules are missing (ip_vs_lc)')
    expect(remedy).toContain('modprobe -a ip_vs_lc')
    expect(remedy).not.toContain('rollout restart')
  })

  test('because it ends again and again cannot be asked', () => {
    const { remedy, message } = finding('MODE_UNPROVEN', cluster('kube-proxy crash loops'))
    expect(message).toContain('kube-proxy does not run (CrashLoopBackOff)')
    expect(remedy).toContain(' -n kube-system logs kube-proxy-node-0001 --previous')
    expect(remedy).not.toMatch(/curl|--deep/)
  })

  test('and said why when it ended', () => {
    const log = { ended: 'E0102 run.go:72] "command failed" err="can not use ipvs"', missing: ['ip_vs'] }
    const { evidence, remedy } = finding('MODE_UNPROVEN', logged(cluster('kube-proxy crash loops'), 'kube-proxy', log))
    expect(evidence[0]).toMatchObject({ field: 'log --previous', value: log.ended })
    expect(remedy).toContain('modprobe -a ip_vs,')
  })
})

test('a range that holds ports of the host names each', () => {
  const { message } = finding('RANGE_HOST_PORTS', cluster('eks range 22-32767, annotation 22:32767'))
  const held = [
    'ports below 1024, from 22',
    '22 (SSH)',
    '179 (BGP)',
    "6443 (the API server's)",
    "10250 (the kubelet's)",
  ]
  for (const it of held) expect(message).toContain(it)
})

test('a port of the host that a Service has outside the service range is not said to be in the range', () => {
  const inUse = cluster('eks range 20000-22767, annotation 179,20000:22767, node port 179')
  expect(finding('RANGE_HOST_PORTS', inUse).message).toMatch(
    /^The service range, with the ports that Services use outside/,
  )
  const inRange = cluster('eks range 100-22767, annotation 100:22767')
  expect(finding('RANGE_HOST_PORTS', inRange).message).toMatch(/^The service range contains /)
})

describe('a link left behind', () => {
  test('in eBPF mode is named, with the nodes', () => {
    const found = finding(
      'IPVS_WITH_BPF',
      cluster('no kube-proxy, bpf, calico log link seen on one, calico log no ipvs elsewhere'),
    )
    expect(found.subject).toBe('node/node-0001')
    expect(found.remedy).toContain('ip link delete kube-ipvs0')
    expect(found.evidence.map(({ object }) => object)).toEqual(
      expect.arrayContaining(['Pod/calico-system/calico-node-node-0001', 'Node/node-0001']),
    )
  })

  test('is looked for on the node where the log is silent', () => {
    const { message, remedy } = finding(
      'MODE_UNPROVEN',
      cluster('mode changed to iptables, kube-proxy restarted, calico log silent'),
    )
    expect(message).toContain('its log does not show its own start at level Info')
    expect(remedy).toContain('ls /sys/class/net/kube-ipvs0')
  })
})

describe('docs/findings.md', () => {
  const page = readFileSync(new URL('../../docs/findings.md', import.meta.url), 'utf8')
  const sections = page.split(/^## /m).slice(1)

  test('has a section per code and no other', () => {
    const titles = sections.map((it) => it.slice(0, it.indexOf('\n')))
    expect(titles.toSorted()).toEqual([...findingCodes].sort())
  })

  test.each(sections.map((it) => [it.slice(0, it.indexOf('\n')), it]))(
    '%s has meaning, evidence, remedy, sources',
    (_, text) => {
      for (const part of ['**Look for.**', '**Do.**', '**Sources.**']) expect(text).toContain(part)
    },
  )
})

describe('a finding', () => {
  test('stands for all nodes with the same cause', () => {
    const found = findings(healthy({ ...wide, nodes: 500 })).filter(({ code }) => code === 'RANGE_DIFFERS')
    expect(found).toHaveLength(1)
    expect(found[0]?.message).toContain('on all 500 nodes')
    expect(found[0]?.evidence.length).toBeLessThan(12)
  })

  test('counts one node in the singular', () => {
    expect(finding('RANGE_DIFFERS', healthy({ ...wide, nodes: 1 })).message).toContain('(on 1 of 1 node: node-0001)')
    const { message } = finding(
      'NODES_NOT_READY',
      edited(healthy({ nodes: 1 }), (it) => {
        for (const pod of podsOf(it, 'calico-node')) pod.ready = false
      }),
    )
    expect(message).toContain('not Ready on 1 of 1 node: ')
  })

  test('about a node that is not Ready names the rollout that is not finished', () => {
    const ill = (state: string) =>
      edited(healthy(), (it) => {
        for (const pod of podsOf(it, 'calico-node').slice(0, 1)) pod.ready = false
        const annotations = {
          rollout: 'a1b2c3',
          state,
          phase: 'range',
          pace: '{"strategy":"direct","maxUnavailable":1,"canarySeconds":1,"settleSeconds":1,"nodeDeadlineSeconds":60}',
          where: '{"api":"crd.projectcalico.org/v1"}',
          'started-at': it.observedAt,
        }
        const named = Object.entries(annotations).map(([key, value]) => [`calico-ipvs-sync/${key}`, value])
        it.rollout = read({ resourceVersion: '1', annotations: Object.fromEntries(named) })
      })
    const { message, remedy } = finding('NODES_NOT_READY', ill('running'))
    expect(message).toMatch(/^While the rollout a1b2c3 is not finished, calico-node is not Ready on 1 of 3 nodes: /)
    expect(remedy).toMatch(/^calico-ipvs-sync rollout status /)
    expect(finding('NODES_NOT_READY', ill('done')).message).toMatch(/^calico-node is not Ready on 1 /)
  })

  test('names a few nodes of many and the only one', () => {
    const some = (count: number) =>
      edited(healthy({ nodes: 50 }), (it) => {
        for (const node of nodesOf(it).slice(0, count))
          objectNamed(it, `node.${node.name}`).annotations[rangeKey] = '30000:31000'
      })
    expect(finding('RANGE_DIFFERS', some(20))).toMatchObject({ subject: 'cluster' })
    expect(finding('RANGE_DIFFERS', some(20)).message).toContain(
      'on 20 of 50 nodes: node-0001, node-0002, node-0003, …',
    )
    expect(finding('RANGE_DIFFERS', some(1))).toMatchObject({ subject: 'node/node-0001' })
  })

  test('shows what decides on each of the nodes it names, and what to do on each', () => {
    const state = edited(healthy({ nodes: 50 }), (it) => {
      for (const node of nodesOf(it).slice(0, 2))
        objectNamed(it, `node.${node.name}`).annotations[rangeKey] = '30000:31000'
    })
    const { evidence, remedy } = finding('RANGE_DIFFERS', state)
    const objects = ['node.node-0001', 'node.node-0002']
    for (const object of objects) {
      expect(evidence.map((it) => it.object)).toContain(`FelixConfiguration/${object}`)
      expect(remedy).toContain(object)
    }
  })

  test('comes in the order of severity', () => {
    const severities = findings(cluster('annotation 30000:39999, halted, node port 29000')).map((it) => it.severity)
    const order = ['critical', 'warning', 'info']
    expect(severities).toEqual(severities.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)))
    expect(new Set(severities).size).toBe(3)
  })

  test('never comes worse than info from a healthy cluster', () => {
    for (const mode of ['ipvs', 'iptables', 'nftables']) {
      expect(findings(healthy({ mode })).filter((it) => it.severity !== 'info')).toEqual([])
      expect(findings(healthy({ mode })).length).toBeLessThanOrEqual(1)
    }
  })
})

describe('the remedy', () => {
  test('goes node by node, or by hand by annotation and spec through the API in use', () => {
    expect(finding('RANGE_DIFFERS', healthy(wide)).remedy?.split('\n')).toEqual([
      'calico-ipvs-sync sync --cluster blue --region eu-central-1   # node by node',
      'Or manually, which restarts Felix on every node at once:',
      'aws eks update-kubeconfig --name blue --region eu-central-1   # once, for kubectl; it also makes this cluster the current context',
      `kubectl --context arn:aws:eks:eu-central-1:111122223333:cluster/blue patch felixconfigurations.projectcalico.org default --type=merge -p '{"metadata":{"annotations":{"${rangeKey}":"30000:34000"}},"spec":{"kubeNodePortRanges":["30000:34000"]}}'`,
    ])
    expect(finding('RANGE_DIFFERS', cluster('eks range 30000-34000, v3 down')).remedy).toContain(
      'felixconfigurations.crd.projectcalico.org',
    )
  })

  test('is nothing while IPVS is not active', () => {
    const { remedy } = finding('RANGE_DIFFERS', healthy({ ...wide, mode: 'iptables' }))
    expect(remedy).toMatch(
      /^Nothing, while IPVS is not active\.\nOr manually, .*:\naws eks update-kubeconfig .*\nkubectl --context \S+ patch/,
    )
  })

  test('makes the object where there is none', () => {
    const remedy = finding('RANGE_DIFFERS', healthy({ ...wide, felix: [] })).remedy
    expect(remedy).toMatch(
      /\nkubectl --context \S+ create -f - <<'EOF'\napiVersion: projectcalico.org\/v3\nkind: FelixConfiguration/,
    )
  })

  test('leaves the spec unset for more than seven items and never widens', () => {
    const state = edited(healthy(), (it) => {
      it.nodePorts = {
        value: Array.from({ length: 8 }, (_, at) => ({
          port: 20000 + 2 * at,
          service: 'a/b',
          field: 'nodePort' as const,
        })),
      }
    })
    const { remedy } = finding('RANGE_DIFFERS', state)
    expect(remedy).toContain('"20000,20002,20004,20006,20008,20010,20012,20014,30000:32767"')
    expect(remedy).toContain('"kubeNodePortRanges":null')
  })

  test('changes the copy of the metadata too where it beats the annotation', () => {
    const copy = JSON.stringify({ annotations: { [rangeKey]: '30000:32767' } })
    const state = edited(cluster('eks range 30000-34000, v3 down'), (it) => {
      objectNamed(it, 'default').annotations['projectcalico.org/metadata'] = copy
    })
    const { remedy = '' } = finding('RANGE_DIFFERS', state)
    const patch = JSON.parse(/-p '(.*)'$/.exec(remedy)?.[1] ?? '') as {
      metadata: { annotations: Record<string, string> }
    }
    expect(JSON.parse(patch.metadata.annotations['projectcalico.org/metadata'] ?? '')).toEqual({
      annotations: { [rangeKey]: '30000:34000' },
    })
  })

  test('is the place that decides where default is shadowed', () => {
    const env = cluster('eks range 30000-34000, env FELIX_KUBENODEPORTRANGES=30000:32767')
    expect(finding('RANGE_DIFFERS', env).remedy).toContain(' set env -n calico-system daemonset/calico-node')
    const node = cluster('eks range 30000-34000, annotation 30000:34000, node annotation 30000:32767')
    expect(finding('RANGE_DIFFERS', node).remedy).toContain('node.node-0001')
    const mask = edited(healthy({ podsMax: 3000 }), (it) => {
      for (const pod of podsOf(it, 'calico-node')) pod.env = [{ name: 'FELIX_IPTABLESMARKMASK', value: '0xffff0000' }]
    })
    expect(finding('MARK_CAPACITY', mask).remedy).toContain('FELIX_IPTABLESMARKMASK=0xffff0100')
  })

  test('tells the add-on what kube-proxy reads, and keeps its other values', () => {
    const found = finding('MODE_NOT_ROLLED', cluster('addon mode iptables'))
    expect(found.evidence.map(({ object, value }) => [object, value])).toEqual([
      ['eks:DescribeAddon', 'iptables'],
      ['ConfigMap/kube-system/kube-proxy-config', 'ipvs'],
    ])
    expect(found.remedy).toContain(
      `aws eks update-addon --cluster-name blue --region eu-central-1 --addon-name kube-proxy --configuration-values '{"mode":"ipvs","ipvs":{"scheduler":"rr"}}' --resolve-conflicts PRESERVE`,
    )
  })

  test('is a mask that will still do after the update, in an annotation', () => {
    const found = finding('MARK_CAPACITY', healthy({ podsMax: 3000, calico: 'v3.29.7', kubernetes: 'v1.36.1-eks-1' }))
    expect(found).toMatchObject({ severity: 'info', subject: 'cluster' })
    expect(found.message).toContain(
      'After an update to Calico 3.30 or newer, or with WireGuard, the mark mask 0xffff0000',
    )
    expect(found.message).toContain('2046 endpoints instead of 4094')
    // Both at once: 18 bits, of which five and one are Felix's own.
    expect(found.remedy).toContain(
      `{"metadata":{"annotations":{"config.projectcalico.org/IptablesMarkMask":"0xffff0300"}}}`,
    )
    expect(found.remedy).toContain('room for 4094')
  })

  test('is the change in Git where somebody owns the object, and the patch with --ignore-owner', () => {
    const state = cluster('eks range 30000-34000, owner argocd')
    for (const code of ['RANGE_DIFFERS', 'OWNED_BY_GITOPS']) {
      expect(finding(code, state).remedy).toMatch(
        /^Merge this into what Argo CD applies:\napiVersion: projectcalico.org\/v3/,
      )
    }
    const ignored = findings(state, { ...defaultPolicy, ignoreOwner: true })
    expect(ignored.find(({ code }) => code === 'OWNED_BY_GITOPS')?.severity).toBe('info')
    expect(ignored.find(({ code }) => code === 'RANGE_DIFFERS')?.remedy).toMatch(/\nkubectl --context \S+ patch/)
  })

  test('quotes what a shell would take for something else', () => {
    expect(quoted('node.ip-10-0-0-1')).toBe('node.ip-10-0-0-1')
    expect(quoted("x'; rm -rf / #")).toBe(String.raw`'x'\''; rm -rf / #'`)
    const state = edited(healthy(wide), (it) => {
      for (const [at, node] of nodesOf(it).entries()) {
        const name = `$(reboot)${at}`
        for (const pod of [...podsOf(it, 'kube-proxy'), ...podsOf(it, 'calico-node')])
          if (pod.node === node.name) pod.node = name
        objectNamed(it, `node.${name}`).annotations[rangeKey] = '30000:32767'
        node.name = name
      }
    })
    expect(finding('RANGE_SHADOWED', state).remedy).toContain("'node.$(reboot)0'")
  })
})

describe('a range that nobody proved', () => {
  const doubted = () =>
    edited(cluster('no eks, annotation 20000:22767'), (it) => {
      it.cluster = { name: 'prod 1', context: 'me@prod 1' }
    })

  test('is called assumed, never seen, and the remedy is the whole command', () => {
    const { message, evidence, remedy } = finding('RANGE_ASSUMED', doubted())
    expect(message).toContain('assumed to be 30000:32767, the default: it was not read')
    expect(message).toContain('FelixConfiguration/default says 20000:22767')
    expect(evidence[0]).toEqual({
      object: 'kube-apiserver',
      field: 'serviceNodePortRange',
      value: '30000:32767 (assumed)',
    })
    expect(remedy).toContain("calico-ipvs-sync check --context 'me@prod 1' --probe   # ")
    expect(remedy).toContain("calico-ipvs-sync check --context 'me@prod 1' --service-node-port-range MIN-MAX   # ")
    expect(JSON.stringify(assess(doubted(), defaultPolicy))).not.toContain('(default)')
  })

  test('is told to EKS by name where the cluster is known by it', () => {
    const { message, remedy } = finding('RANGE_ASSUMED', cluster('denied eks'))
    expect(message).toContain('the EKS API did not return it')
    expect(remedy).toContain('calico-ipvs-sync check --cluster blue --region eu-central-1 --probe   # ')
  })

  test('leaves every other finding without a claim or a patch against it', () => {
    const given = 'no eks, annotation 20000-22767, spec 21000:22767, node annotation 20000:22767, node port 20080'
    const state = cluster(`${given}, owner argocd`)
    const others = findings(state).filter(({ code }) => code !== 'RANGE_ASSUMED')
    expect(others.map(({ code }) => code).sort()).toEqual(['IPVS_DEPRECATED', 'RANGE_INVALID'])
    expect(JSON.stringify(others)).not.toContain('kubectl patch')
    expect(assess(state, defaultPolicy)).not.toHaveProperty('desired')
  })

  test('says of a value of our own when it was written and how the range was known', () => {
    const state = edited(doubted(), (it) => {
      Object.assign(objectNamed(it, 'default').annotations, {
        'calico-ipvs-sync/changed-at': '2026-11-20T08:00:00Z',
        'calico-ipvs-sync/change': JSON.stringify({ by: 'me', rollout: 'r1', known: 'probe' }),
      })
    })
    expect(finding('RANGE_ASSUMED', state).message).toContain(
      '20000:22767, written by this tool at 2026-11-20T08:00:00Z (the range as the API server returned it)',
    )
  })
})

describe('an item of the spec that Felix cannot decode', () => {
  const invalid = (items: unknown[]) =>
    finding(
      'RANGE_INVALID',
      edited(healthy(wide), (it) => void (objectNamed(it, 'default').spec['kubeNodePortRanges'] = items)),
    )

  test('is named by its field, with what it holds', () => {
    const { message, evidence } = invalid(['30000:32767', '70000'])
    expect(message).toContain('FelixConfiguration/default cannot be read: spec.kubeNodePortRanges[1] "70000": ')
    expect(evidence).toEqual([
      { object: 'FelixConfiguration/default', field: 'spec.kubeNodePortRanges[1]', value: '70000' },
    ])
  })

  test.each([
    [{ natPortRange: '32767:30000' }, 'spec.natPortRange', '32767:30000'],
    [{ reportingInterval: '' }, 'spec.reportingInterval', ''],
    [
      { failsafeInboundHostPorts: [{ protocol: 'TCP', port: 22 }, { port: 65536 }] },
      'spec.failsafeInboundHostPorts[1].port',
      '65536',
    ],
    [{ kubeNodePortRanges: '30000:32767' }, 'spec.kubeNodePortRanges', '30000:32767'],
    [{ kubeNodePortRanges: [true] }, 'spec.kubeNodePortRanges[0]', 'true'],
  ])('%j: %s', (spec, field, value) => {
    const state = edited(healthy(wide), (it) => void Object.assign(objectNamed(it, 'default').spec, spec))
    expect(finding('RANGE_INVALID', state).evidence).toEqual([{ object: 'FelixConfiguration/default', field, value }])
  })
})

test('a range that our own rollout was to reach is said with how it was known, and forgotten where it was aborted', () => {
  const withLease = (more: Record<string, string>) =>
    edited(cluster('no eks, written yesterday'), (it) => {
      Object.assign(valueOf(it.rollout)?.annotations ?? {}, more)
    })
  const known = finding(
    'RANGE_ASSUMED',
    withLease({ 'calico-ipvs-sync/where': '{"api":"crd.projectcalico.org/v1","known":"probe"}' }),
  )
  expect(known.message).toContain(
    'a rollout of this tool had the target 20000:22767 (the range as the API server returned it)',
  )
  expect(known.evidence[1]).toMatchObject({ object: 'Lease/kube-system/calico-ipvs-sync', value: '20000:22767' })
  const forged = finding(
    'RANGE_ASSUMED',
    withLease({ 'calico-ipvs-sync/where': '{"api":"crd.projectcalico.org/v1","known":"constructor"}' }),
  )
  expect(forged.message).toContain('had the target 20000:22767.')
  expect(finding('RANGE_ASSUMED', withLease({ 'calico-ipvs-sync/state': 'aborted' })).severity).toBe('info')
})

describe('the operator that cannot read the spec', () => {
  const patchOf = ({ remedy = '' }: Finding) =>
    JSON.parse(/-p '(.*)'/.exec(remedy)?.[1] ?? 'null') as { metadata: object; spec: object }

  test('gets the field taken out, and the annotation keeps what it says', () => {
    const found = finding('OPERATOR_BLIND', cluster('annotation 30000:32767, spec 30000:34000, calico v3.24.5'))
    expect(found).toMatchObject({ severity: 'critical', subject: 'FelixConfiguration/default' })
    expect(found.remedy).toMatch(
      /^aws eks update-kubeconfig .*\nkubectl --context \S+ patch felixconfigurations\.projectcalico\.org default --type=merge -p \S+$/,
    )
    expect(patchOf(found)).toEqual({
      metadata: { annotations: { [rangeKey]: '30000:32767' } },
      spec: { kubeNodePortRanges: null },
    })
  })

  test('where there is no annotation, it takes the range that is desired, and what that does is said', () => {
    const found = finding('OPERATOR_BLIND', cluster('eks range 20000-22767, spec 30000:34000, calico v3.22.2'))
    expect(patchOf(found)).toMatchObject({ metadata: { annotations: { [rangeKey]: '20000:22767' } } })
    expect(found.remedy).toContain('calico-ipvs-sync sync --cluster blue --region eu-central-1')
  })

  test('no remedy of any finding puts the field back', () => {
    const all = findings(cluster('eks range 20000-22767, spec 30000:34000, calico v3.24.5, owner argocd'))
    for (const { remedy = '' } of all) expect(remedy).not.toMatch(/kubeNodePortRanges"?: ?\[/)
  })
})

describe('the way out of IPVS', () => {
  const ways = (state: ClusterState) => finding('IPVS_DEPRECATED', state)

  test('is one finding, with nothing in the way of a cluster that is up to date', () => {
    const found = ways(healthy())
    expect(found.severity).toBe('info')
    expect(found.message).toContain('This cluster runs 1.34: 6 minor versions remain')
    expect(found.message).toContain('Nothing that was read here prevents nftables mode.')
    expect(found.evidence.slice(1)).toEqual([{ object: 'kube-apiserver', field: 'version', value: '1.34' }])
    expect(found.remedy?.split('\n').map((it) => it.slice(0, it.indexOf(':')))).toEqual(['To nftables', 'To iptables'])
    expect(found.remedy).toContain('linuxDataplane: Nftables')
    expect(found.remedy).toContain('ip link delete kube-ipvs0')
  })

  test('says what is in the way: Kubernetes, Calico and the kernels of some nodes', () => {
    const state = edited(healthy({ kubernetes: 'v1.32.3-eks-1', calico: 'v3.28.4' }), (it) => {
      for (const [at, node] of nodesOf(it).entries())
        node.kernelVersion = at === 0 ? '5.10.238-234.956.amzn2' : '5.13.0'
    })
    const { message, evidence } = ways(state)
    expect(message).toContain('it is generally available from Kubernetes 1.33')
    expect(message).toContain('Felix can program nftables from Calico 3.29, here is v3.28.4')
    expect(message).toContain('it needs Linux 5.13, 1 of 3 nodes has an older one')
    expect(evidence.slice(1).map(({ object, value }) => `${object} ${value}`)).toEqual([
      'kube-apiserver 1.32',
      'calico-node v3.28.4',
      'cluster 1 of 3 nodes',
      'Node/node-0001 5.10.238-234.956.amzn2',
    ])
  })

  test.each([
    ['v3.32.1', 'spec.nftablesMode: Auto', 'Felix adapts itself'],
    ['v3.30.3', 'spec.nftablesMode: Enabled', 'Felix adapts itself'],
    ['v3.22.2', 'spec.nftablesMode: Enabled', 'restart calico-node after it'],
  ])('with a manifest of Calico %s sets %s', (calico, mode, after) => {
    const state = edited(healthy({ calico, eks: false }), (it) => {
      for (const role of ['kube-proxy', 'calico-node'] as const) setOf(it, role).namespace = 'kube-system'
      it.installation = { value: undefined }
    })
    expect(ways(state).remedy).toContain(mode)
    expect(ways(state).remedy).toContain(after)
    expect(ways(state).remedy).toContain("in kube-proxy's configuration mode nftables")
  })

  test('names masqueradeAll, which counts in IPVS mode and goes by another name in nftables mode', () => {
    const withAll = (value: boolean) =>
      edited(healthy(), (it) => {
        const config = valueOf(it.configMaps['kube-system/kube-proxy-config'])
        if (config) config.data['config'] = `mode: ipvs\niptables:\n  masqueradeAll: ${value}\n`
      })
    expect(ways(withAll(true)).remedy).toContain('nftables.masqueradeAll')
    expect(ways(withAll(false)).remedy).not.toContain('masqueradeAll')
    const byFlag = edited(healthy(), (it) => {
      setOf(it, 'kube-proxy').template.command = ['kube-proxy', '--proxy-mode=ipvs --masquerade-all']
    })
    expect(ways(byFlag).remedy).toContain('nftables.masqueradeAll')
  })
})

describe('the owner of an object', () => {
  const field = ['f:spec', 'f:kubeNodePortRanges']
  const annotation = ['f:metadata', 'f:annotations', `f:${rangeKey}`]
  const cases: [string, Partial<FelixObject>, string | undefined][] = [
    ['nobody', {}, undefined],
    ['Argo CD by annotation', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }, 'Argo CD'],
    ['Argo CD by label', { labels: { 'argocd.argoproj.io/instance': 'x' } }, 'Argo CD'],
    ['Argo CD by field', { managedFields: [owns('argocd-controller', field, '')] }, 'Argo CD'],
    ['Flux by label', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }, 'Flux'],
    [
      'Flux, not Helm, by helm-controller',
      { labels: { 'helm.toolkit.fluxcd.io/name': 'x', 'app.kubernetes.io/managed-by': 'Helm' } },
      'Flux',
    ],
    ['Flux by field', { managedFields: [owns('kustomize-controller', annotation, '')] }, 'Flux'],
    ['Helm by label', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'Helm'],
    ['Helm by annotation', { annotations: { 'meta.helm.sh/release-name': 'calico' } }, 'Helm'],
    ['Helm by field', { managedFields: [owns('helm', field, '')] }, 'Helm'],
    ['Terraform by field', { managedFields: [owns('Terraform', field, '')] }, 'Terraform'],
    [
      'a reconciler that manages other fields only',
      { managedFields: [owns('argocd-controller', ['f:spec', 'f:bpfEnabled'], '')] },
      undefined,
    ],
    ['kubectl', { managedFields: [owns('kubectl-edit', field, '')] }, undefined],
    ['calicoctl', { managedFields: [owns('calicoctl', field, '')] }, undefined],
    [
      'the operator',
      { managedFields: [owns('operator', field, ''), owns('tigera-operator', annotation, '')] },
      undefined,
    ],
    ['ourselves', { managedFields: [owns('calico-ipvs-sync', field, '')] }, undefined],
    [
      'the copy of the metadata',
      { annotations: { 'projectcalico.org/metadata': '{"labels":{"argocd.argoproj.io/instance":"x"}}' } },
      'Argo CD',
    ],
    ['a broken copy', { annotations: { 'projectcalico.org/metadata': '{' } }, undefined],
  ]
  test.each(cases)('%s', (_, over, tool) => {
    expect(ownerOf(felixObject(over))?.tool).toBe(tool)
  })
})

test('a rollout that is done and left other nodes out is not flapping', () => {
  const state = cluster('eks range 30000-34000, annotation 30000:34000, node annotation 30000:32767, reverted today')
  expect(findings(state).map(({ code }) => code)).not.toContain('FLAPPING')
  expect(valueOf(state.rollout)?.annotations['calico-ipvs-sync/state']).toBe('done')
})

describe('a name that begins with a dash, which no real one does', () => {
  const dashed = (state: ClusterState): ClusterState =>
    JSON.parse(
      JSON.stringify(state)
        .replaceAll('kube-proxy-node-', '-x-proxy-')
        .replaceAll('calico-node-node-', '-x-calico-')
        .replaceAll(/"(all-workers|linux)"/g, '"-x"'),
    ) as ClusterState
  const given = [
    'kube-proxy crash loops',
    'mode iptables, mode changed to ipvs, kube-proxy restarted, calico v3.22.2, calico log no ipvs',
    'copied mark on all-workers',
    'calico v3.32.1, selector annotation 30000-32767',
    'calico v3.32.1, eks range 20000-22767, selector annotation 30000:32767',
  ]
  test.each(given)('is no option for kubectl: %s', (state) => {
    const remedies = findings(dashed(cluster(state))).map(({ remedy = '' }) => remedy)
    for (const remedy of remedies) expect(remedy).not.toMatch(/ ["']?-x/)
  })

  test('is given with its resource', () => {
    expect(onObjects('pod', '-x')).toBe('pod/-x')
    expect(onObjects('pod', 'a', '-x')).toBe('pod/a pod/-x')
    expect(onObjects('pod', 'a', 'b c')).toBe("pod a 'b c'")
    const { remedy } = finding('MODE_UNPROVEN', dashed(cluster('kube-proxy crash loops')))
    expect(remedy).toContain('logs pod/-x-proxy-0001 --previous')
  })
})
