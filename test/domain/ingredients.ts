import type { ClusterState, FelixConfigurations, FelixObject, RolloutRecord } from '../../shared/domain/cluster.ts'
import type { Neighbour } from '../../shared/domain/mark.ts'
import type { ClusterComparison, ClusterMarks } from '../../shared/domain/identity.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { sealOf } from '../../shared/domain/rollout/marks.ts'
import {
  calicoSet,
  edited,
  felixObject,
  healthy,
  logged,
  modeChanged,
  nodeNamed,
  nodesOf,
  objectNamed,
  podOf,
  podsOf,
  proxyConfig,
  rangeKey,
  restarted,
  setOf,
  times,
} from './states.ts'

/** A DaemonSet that marks packets; the word's own value, `from` elsewhere, or `false` is that of its variable. */
const withNeighbour = (neighbour: Neighbour, name: string, variable?: string, from?: string): Change =>
  change((copy, value = 'false') => {
    const env = variable ? [{ name: variable, ...(from ? { from: { unknown: from } } : { value }) }] : []
    const { nodeSelector: _, ...set } = calicoSet(3, '')
    valueOf(copy.daemonSets)?.push({
      ...set,
      role: 'neighbour',
      neighbour,
      namespace: 'kube-system',
      name,
      uid: `uid-${name}`,
      template: { image: name, command: [], env, envFrom: [], configMapMounts: [], annotations: {} },
    })
  })

/** The words of the decision table in docs/in-step.md: each makes one thing different. */

type Change = (state: ClusterState, ...found: string[]) => ClusterState
const change =
  (what: (copy: ClusterState, ...found: string[]) => void): Change =>
  (state, ...found) =>
    edited(state, (copy) => what(copy, ...found))

const annotate = (name: string) =>
  change((copy, value = '') => void (objectNamed(copy, name).annotations[rangeKey] = value))
const parameter = (name: string, value: string) =>
  change((copy) => void (objectNamed(copy, 'default').annotations[`config.projectcalico.org/${name}`] = value))
const onDefault = (what: (object: FelixObject, value: string) => void) =>
  change((copy, value = '') => what(objectNamed(copy, 'default'), value))
const onEks = (what: Record<string, unknown>) => change((copy) => void Object.assign(valueOf(copy.eks) ?? {}, what))
const labelled = (key: string, value: string, count = Number.POSITIVE_INFINITY) =>
  change((copy) => {
    for (const node of nodesOf(copy).slice(0, count)) {
      node.labels = { ...node.labels, [key]: value }
      copy.pods = read((valueOf(copy.pods) ?? []).filter((pod) => pod.node !== node.name))
    }
  })
const denied = (object: string) => failed<never>({ kind: 'denied', object, message: 'forbidden', status: 403 })
const onPods = (what: (pod: { env: unknown[]; [key: string]: unknown }) => void) =>
  change((copy) => {
    for (const pod of podsOf(copy, 'calico-node')) what(pod as unknown as { env: unknown[] })
  })
const fresh = (over: Partial<FelixObject>) =>
  change((copy, value = '') => {
    valueOf(copy.felix)?.objects.push(felixObject({ ...over, annotations: { [rangeKey]: value } }))
  })
const lease = (annotations: Record<string, string>) =>
  change((copy) => {
    const keyed = Object.entries({ ...inLease, ...annotations }).map(([key, value]) => [
      `calico-ipvs-sync/${key}`,
      value,
    ])
    copy.rollout = read({ resourceVersion: '1', annotations: Object.fromEntries(keyed) as Record<string, string> })
  })
const held = (over: { renewedAt?: string; leaseSeconds?: number }) =>
  change((copy) => {
    const seen = { holder: 'somebody', renewedAt: '2026-11-20T09:59:00Z', leaseSeconds: 60, ...over }
    copy.rollout = read({ ...valueOf(lease({ state: 'running' })(copy).rollout), ...seen } as RolloutRecord)
  })
/** What every rollout says of itself. */
const inLease = {
  rollout: 'r',
  phase: 'range',
  pace: JSON.stringify({
    strategy: 'staged',
    maxUnavailable: 1,
    canarySeconds: 45,
    settleSeconds: 35,
    nodeDeadlineSeconds: 300,
  }),
  where: JSON.stringify({ api: 'crd.projectcalico.org/v1' }),
  'started-at': '2026-11-19T08:00:00Z',
}
/** As we mark what we make. */
export const marked = (object: FelixObject): FelixObject => {
  const mark = { by: 'test', rollout: 'r' }
  const changed = { 'calico-ipvs-sync/override': 'created', 'calico-ipvs-sync/changed-at': '2026-11-19T08:00:00Z' }
  const annotations: Record<string, string> = { ...object.annotations, ...changed }
  const seal = sealOf({ ...object, annotations }, mark)
  return { ...object, annotations: { ...annotations, 'calico-ipvs-sync/change': JSON.stringify({ ...mark, seal }) } }
}
const behind = (role: 'kube-proxy' | 'calico-node', type: 'RollingUpdate' | 'OnDelete', missing: number) =>
  change((copy) => {
    const set = setOf(copy, role)
    set.updateStrategy = { type }
    set.status.updated -= missing
  })
const without = (role: 'kube-proxy' | 'calico-node') =>
  change((copy) => {
    copy.pods = read((valueOf(copy.pods) ?? []).filter((it) => it.role !== role))
    copy.daemonSets = read((valueOf(copy.daemonSets) ?? []).filter((it) => it.role !== role))
  })

/** As by a kubeconfig; what EKS describes is the same cluster but for what is changed. */
const described = (what: (marks: ClusterMarks, connected: ClusterComparison['connected']) => void) =>
  change((copy) => {
    const arn = valueOf(copy.eks)?.arn ?? ''
    const marks = { arn, endpoint: 'abc.gr7.eu-central-1.eks.amazonaws.com:443', authorities: ['aa'.repeat(32)] }
    copy.identity ??= { connected: { ...marks }, described: { ...marks } }
    what(copy.identity.described ?? {}, copy.identity.connected)
  })

const words: [RegExp, Change][] = [
  [/^nothing$/, (state) => state],
  [
    /^mode (\w+)$/,
    change((copy, mode = '') => void (copy.configMaps['kube-system/kube-proxy-config'] = read(proxyConfig(mode)))),
  ],
  [/^mode changed to (\w+)$/, (state, mode = '') => modeChanged(state, mode)],
  [/^kube-proxy restarted$/, (state) => restarted(state, 'kube-proxy')],
  [/^kube-proxy restarted on one$/, (state) => restarted(state, 'kube-proxy', ['node-0001'])],
  [/^calico restarted$/, (state) => restarted(state, 'calico-node')],
  [/^kube-proxy log (iptables|ipvs|nftables)$/, (state, mode) => logged(state, 'kube-proxy', { mode: mode as 'ipvs' })],
  [
    /^kube-proxy log (\w+) elsewhere$/,
    (state, mode) => logged(state, 'kube-proxy', { mode: mode as 'ipvs' }, ['node-0002', 'node-0003']),
  ],
  [
    /^kube-proxy log missing (\S+)$/,
    (state, module = '') => logged(state, 'kube-proxy', { mode: 'iptables', missing: [module] }),
  ],
  [/^kube-proxy log silent$/, (state) => logged(state, 'kube-proxy', {})],
  [
    /^kube-proxy (v\S+)$/,
    change((copy, version = '') => {
      for (const pod of podsOf(copy, 'kube-proxy')) pod.image = `eks/kube-proxy:${version}-minimal-eksbuild.2`
    }),
  ],
  [
    /^kube-proxy crash loops$/,
    change((copy) => {
      for (const pod of podsOf(copy, 'kube-proxy')) {
        delete pod.startedAt
        Object.assign(pod, { waiting: 'CrashLoopBackOff', restartCount: 7, ready: false })
      }
    }),
  ],
  [
    /^static kube-proxy( \S+)?$/,
    change((copy, flag = '') => {
      copy.daemonSets = read((valueOf(copy.daemonSets) ?? []).filter((it) => it.role !== 'kube-proxy'))
      for (const pod of podsOf(copy, 'kube-proxy')) {
        delete pod.daemonSet
        delete pod.revision
        pod.flags = [flag.trim() || '--config=/etc/kubernetes/kube-proxy.yaml']
      }
    }),
  ],
  [
    /^calico log (no )?ipvs on one$/,
    (state, no) => logged(state, 'calico-node', { felixIpvs: no === undefined, at: times.observed }, ['node-0001']),
  ],
  [
    /^calico log (no ipvs|silent) elsewhere$/,
    (state, what) =>
      logged(state, 'calico-node', what === 'silent' ? {} : { felixIpvs: false, at: times.observed }, [
        'node-0002',
        'node-0003',
      ]),
  ],
  [
    /^calico log link seen( on one)?$/,
    (state, one) =>
      logged(
        state,
        'calico-node',
        { linkSeen: { line: "kube-proxy IPVS device found but we're in BPF mode, ignoring." } },
        one === undefined ? undefined : ['node-0001'],
      ),
  ],
  [/^calico log ipvs$/, (state) => logged(state, 'calico-node', { felixIpvs: true, at: times.observed })],
  [/^calico log no ipvs$/, (state) => logged(state, 'calico-node', { felixIpvs: false, at: times.observed })],
  [/^calico log silent$/, (state) => logged(state, 'calico-node', {})],
  [
    /^nodes replaced$/,
    change((copy) => {
      for (const node of nodesOf(copy)) node.createdAt = times.restarted
    }),
  ],
  [
    /^calico (v\S+)$/,
    change((copy, version = '') => {
      const image = `quay.io/calico/node:${version}`
      setOf(copy, 'calico-node').template.image = image
      for (const pod of podsOf(copy, 'calico-node')) pod.image = image
    }),
  ],
  [/^kubernetes (\S+)$/, change((copy, version) => void (copy.kubernetesVersion = read(`v${version}.1-eks-1`)))],
  [
    /^eks range (\d+)-(\d+)$/,
    change((copy, min, max) => {
      Object.assign(valueOf(copy.eks) ?? {}, { serviceNodePortRange: { min: Number(min), max: Number(max) } })
    }),
  ],
  [
    /^given range (\d+)-(\d+)$/,
    change((copy, min, max) => void (copy.givenServiceRange = { min: Number(min), max: Number(max), source: 'flag' })),
  ],
  [
    /^by manifest$/,
    change((copy) => {
      copy.installation = read(undefined)
      setOf(copy, 'calico-node').namespace = 'kube-system'
      for (const pod of podsOf(copy, 'calico-node')) pod.namespace = 'kube-system'
    }),
  ],
  [
    /^probe refused$/,
    change((copy) => {
      const object = 'Services (to ask for the node-port range)'
      copy.probeFailure = { kind: 'denied', object, message: '403: services is forbidden', status: 403 }
    }),
  ],
  [/^no eks$/, change((copy) => void delete copy.eks)],
  [/^annotation (\S+)$/, annotate('default')],
  [/^node annotation (\S+)$/, annotate('node.node-0001')],
  [/^selector annotation (\S+)$/, fresh({ name: 'linux', spec: { nodeSelector: "kubernetes.io/os == 'linux'" } })],
  [/^second selector$/, fresh({ name: 'later', createdAt: times.changed, spec: { nodeSelector: 'all()' } })],
  [/^spec (\S+)$/, onDefault((it, value) => void (it.spec['kubeNodePortRanges'] = [value]))],
  [
    /^two spellings$/,
    onDefault((it) => {
      it.annotations['config.projectcalico.org/kubenodeportranges'] = '30000:33000'
      it.annotations[rangeKey] = '30000:34000'
    }),
  ],
  [/^undecodable item$/, onDefault((it) => void (it.spec['kubeNodePortRanges'] = ['32767:30000']))],
  [/^env (\w+)=(\S+)$/, (state, name, value) => onPods((pod) => pod.env.push({ name, value }))(state)],
  [
    /^secret env (\w+)$/,
    (state, name) => onPods((pod) => pod.env.push({ name, from: { unknown: 'secretKeyRef' } }))(state),
  ],
  [
    /^(node|health) port (\d+)$/,
    change((copy, kind, port) => {
      const field = kind === 'node' ? 'nodePort' : 'healthCheckNodePort'
      copy.nodePorts = read([{ port: Number(port), service: 'shop/web', field }])
    }),
  ],
  [
    /^sctp port (\d+)$/,
    change((copy, port) => {
      copy.nodePorts = read([{ port: Number(port), service: 'shop/calls', field: 'nodePort', protocol: 'SCTP' }])
    }),
  ],
  [/^no kube-proxy$/, without('kube-proxy')],
  [/^no calico$/, without('calico-node')],
  [/^bpf$/, parameter('BPFEnabled', 'true')],
  [/^wireguard$/, parameter('WireguardEnabled', 'true')],
  [/^nftablesMode (\w+)$/, (state, mode = '') => parameter('NFTablesMode', mode)(state)],
  [/^interfaceExclude (\S+)$/, (state, value = '') => parameter('InterfaceExclude', value)(state)],
  [/^mask (\S+)$/, (state, value = '') => parameter('IptablesMarkMask', value)(state)],
  [/^nftables mask (\S+)$/, (state, value = '') => parameter('NftablesMarkMask', value)(state)],
  [/^aws-node$/, withNeighbour('vpc-cni', 'aws-node')],
  [/^aws-node connmark (\S+)$/, withNeighbour('vpc-cni', 'aws-node', 'AWS_VPC_K8S_CNI_CONNMARK')],
  [
    /^aws-node connmark from elsewhere$/,
    withNeighbour('vpc-cni', 'aws-node', 'AWS_VPC_K8S_CNI_CONNMARK', 'secretKeyRef'),
  ],
  [
    /^aws-node nowhere$/,
    (state) =>
      edited(withNeighbour('vpc-cni', 'aws-node')(state), (copy) => void (setOf(copy, 'neighbour').status.desired = 0)),
  ],
  [/^cilium$/, withNeighbour('cilium', 'cilium')],
  [/^weave$/, withNeighbour('weave', 'weave-net')],
  [/^tailscale$/, withNeighbour('tailscale', 'tailscale')],
  [/^tailscale in the kernel$/, withNeighbour('tailscale', 'tailscale', 'TS_USERSPACE')],
  [/^stored mask (\d+)$/, onDefault((it, value) => void (it.spec['iptablesMarkMask'] = Number(value)))],
  [
    /^pods max (\d+)$/,
    change((copy, count) => {
      for (const node of nodesOf(copy)) node.podsMax = Number(count)
    }),
  ],
  [
    /^override Auto$/,
    change((copy) => {
      objectNamed(copy, 'default').spec['nftablesMode'] = 'Disabled'
      Object.assign(objectNamed(copy, 'node.node-0001').spec, { nftablesMode: 'Auto' })
    }),
  ],
  [/^one fargate$/, labelled('eks.amazonaws.com/compute-type', 'fargate', 1)],
  [/^all fargate$/, labelled('eks.amazonaws.com/compute-type', 'fargate')],
  [/^all auto mode$/, labelled('eks.amazonaws.com/compute-type', 'auto')],
  [/^all windows$/, labelled('kubernetes.io/os', 'windows')],
  [/^rolling kube-proxy$/, behind('kube-proxy', 'RollingUpdate', 1)],
  [/^rolling calico$/, behind('calico-node', 'RollingUpdate', 1)],
  [
    /^calico made again$/,
    change((copy) => {
      const none = { observedGeneration: 0, desired: 0, current: 0, updated: 0, ready: 0, unavailable: 0 }
      Object.assign(setOf(copy, 'calico-node'), { uid: 'new', status: none })
      copy.pods = read((valueOf(copy.pods) ?? []).filter(({ role }) => role !== 'calico-node'))
    }),
  ],
  [/^on delete calico behind$/, behind('calico-node', 'OnDelete', 1)],
  [/^on delete calico$/, behind('calico-node', 'OnDelete', 0)],
  [/^eks ([A-Z]+)$/, (state, status) => onEks({ status })(state)],
  [/^addon ([A-Z]+)$/, (state, status) => onEks({ kubeProxyAddon: read({ status }) })(state)],
  [
    /^addon mode (\w+)$/,
    (state, mode) => {
      const configurationValues = JSON.stringify({ mode, ipvs: { scheduler: 'rr' } })
      return onEks({ kubeProxyAddon: read({ status: 'ACTIVE', configurationValues }) })(state)
    },
  ],
  [/^eks update$/, onEks({ updates: read([{ id: '8f0c', type: 'KubeApiServerConfigUpdate', status: 'InProgress' }]) })],
  [
    /^two calicos$/,
    change((copy) => {
      const other = calicoSet(0, 'v3.30.3', { namespace: 'kube-system', uid: 'uid-other' })
      copy.daemonSets = read([...(valueOf(copy.daemonSets) ?? []), other])
    }),
  ],
  [
    /^calico not ready on one$/,
    change((copy) => void Object.assign(podsOf(copy, 'calico-node')[0] ?? {}, { ready: false })),
  ],
  [
    /^joining node$/,
    change((copy) => {
      const node = nodeNamed('node-0009', { createdAt: '2026-11-20T09:59:50Z', ready: false })
      copy.nodes = read([...nodesOf(copy), node])
      const pod = podOf(setOf(copy, 'kube-proxy'), node.name, { createdAt: node.createdAt, ready: false })
      delete pod.startedAt
      copy.pods = read([...(valueOf(copy.pods) ?? []), pod])
      for (const set of valueOf(copy.daemonSets) ?? []) {
        Object.assign(set.status, { desired: 4, updated: 4 })
      }
    }),
  ],
  [/^denied nodes$/, change((copy) => void (copy.nodes = denied('Nodes')))],
  [/^denied services$/, change((copy) => void (copy.nodePorts = denied('Services')))],
  [/^denied felix$/, change((copy) => void (copy.felix = denied('FelixConfigurations')))],
  [/^denied daemonsets$/, change((copy) => void (copy.daemonSets = denied('DaemonSets')))],
  [/^denied pods$/, change((copy) => void (copy.pods = denied('Pods')))],
  [
    /^denied kube-proxy config$/,
    change((copy) => {
      const id = 'kube-system/kube-proxy-config'
      copy.configMaps[id] = denied(`ConfigMap/${id}`)
    }),
  ],
  [
    /^denied environment$/,
    change((copy) => {
      const id = 'calico-system/felix-settings'
      copy.configMaps[id] = denied(`ConfigMap/${id}`)
      for (const pod of podsOf(copy, 'calico-node')) pod.envFrom = [{ configMap: 'felix-settings', optional: true }]
    }),
  ],
  [
    /^secret environment( \S+)?$/,
    change((copy, prefix = '') => {
      const source = { unknown: 'secretRef', ...(prefix && { prefix: prefix.trim() }) }
      for (const pod of podsOf(copy, 'calico-node')) pod.envFrom = [source]
    }),
  ],
  [
    /^denied version$/,
    change((copy) => {
      copy.clusterInformation = denied('ClusterInformation/default')
      copy.installation = denied('Installation/default')
    }),
  ],
  [/^denied eks$/, change((copy) => void (copy.eks = denied('eks:DescribeCluster')))],
  [
    /^eks of another account$/,
    described((marks) => void (marks.arn = 'arn:aws:eks:eu-central-1:444455556666:cluster/blue')),
  ],
  [
    /^eks at another address$/,
    described((marks) => void (marks.endpoint = 'f00.gr7.eu-central-1.eks.amazonaws.com:443')),
  ],
  [/^eks with another authority$/, described((marks) => void (marks.authorities = ['bb'.repeat(32)]))],
  [/^unverified$/, described((_, connected) => void (connected.unverified = true))],
  [
    /^unreachable$/,
    change((copy) => {
      const none = (object: string) => failed<never>({ kind: 'unreachable', object, message: 'connect ETIMEDOUT' })
      Object.assign(copy, { nodes: none('Nodes'), daemonSets: none('DaemonSets'), pods: none('Pods') })
      Object.assign(copy, { felix: none('FelixConfigurations'), nodePorts: none('Services'), configMaps: {} })
      Object.assign(copy, { kubernetesVersion: none('version'), rollout: none('Lease') })
    }),
  ],
  [
    /^v3 down$/,
    change((copy) => {
      const v3Failure = {
        kind: 'unavailable',
        object: 'FelixConfigurations',
        message: 'service unavailable',
        status: 503,
      }
      Object.assign(valueOf(copy.felix) ?? {}, { api: 'crd.projectcalico.org/v1', v3Failure })
    }),
  ],
  [/^owner argocd$/, onDefault((it) => void (it.annotations['argocd.argoproj.io/tracking-id'] = 'calico:x'))],
  [
    /^operator ignored$/,
    change((copy) => {
      setOf(copy, 'calico-node').annotations['unsupported.operator.tigera.io/ignore'] = 'true'
    }),
  ],
  [
    /^written yesterday$/,
    lease({ rollout: 'r', state: 'done', target: '20000:22767', 'finished-at': '2026-11-19T23:59:59Z' }),
  ],
  [/^lease state bogus$/, lease({ state: 'bogus' })],
  [/^lease held in 2099$/, held({ renewedAt: '2099-01-01T00:00:00Z' })],
  [/^lease held for a year$/, held({ leaseSeconds: 31_536_000 })],
  [/^lease journal long$/, lease({ state: 'done', journal: 'x '.repeat(100_000) })],
  [
    /^(own|copied) mark on (.*)$/,
    (state, whose, name) => {
      const copy = structuredClone(state)
      const object = marked(felixObject({ name: 'node.node-0001', annotations: { [rangeKey]: '30000:32767' } }))
      const objects = valueOf(copy.felix)?.objects.filter((it) => it.name !== name) ?? []
      copy.felix = read({
        ...(valueOf(copy.felix) as FelixConfigurations),
        objects: [...objects, { ...object, name: name ?? '' }],
      })
      if (whose === 'own' && name !== object.name) throw new Error('an override of ours is named after its node')
      return copy
    },
  ],
  [/^(running|paused|aborting)$/, (state, is = '') => lease({ rollout: 'r', state: is })(state)],
  [/^halted$/, lease({ rollout: 'r', state: 'halted', reason: 'node-0002 did not come back within 300 s' })],
  [
    /^reverted (today|yesterday)$/,
    (state, day) => {
      const finished = day === 'today' ? '2026-11-20T08:00:00Z' : '2026-11-19T23:59:59Z'
      return lease({ rollout: 'r', state: 'done', target: '30000:34000', 'finished-at': finished })(state)
    },
  ],
]

/** `mode iptables, eks range 30000-34000` → the healthy cluster with these differences. */
export function cluster(given: string): ClusterState {
  return given.split(/, (?=[a-z])/).reduce((state, text) => {
    const word = words.find(([pattern]) => pattern.test(text))
    if (!word)
      throw new Error(`The decision table uses "${text}", which no ingredient in test/domain/ingredients.ts means`)
    return word[1](state, ...(word[0].exec(text)?.slice(1) ?? []))
  }, healthy())
}

/** Each pattern, so that the test can tell which are used by no row. */
export const patterns: readonly RegExp[] = words.map(([pattern]) => pattern)
