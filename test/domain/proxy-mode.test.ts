import { describe, expect, test } from '@jest/globals'
import type { ClusterState, DaemonSetState, PodState } from '../../shared/domain/cluster.ts'
import { commonMode, configuredModes } from '../../shared/domain/proxy-mode/configured.ts'
import { logsWorthReading } from '../../shared/domain/facts/logs-worth-reading.ts'
import { runningModes } from '../../shared/domain/proxy-mode/running.ts'
import { failed, read, valueOf } from '../../shared/domain/read.ts'
import { cluster } from './ingredients.ts'
import {
  edited,
  healthy,
  kubeProxySet,
  logged,
  modeChanged,
  nodesOf,
  owns,
  podOf,
  podsOf,
  proxyConfig,
  restarted,
  setOf,
  times,
} from './states.ts'

const withSet = (over: Partial<DaemonSetState['template']>, state = healthy()): ClusterState =>
  edited(state, (copy) => Object.assign(setOf(copy, 'kube-proxy').template, over))

const first = (state: ClusterState) => configuredModes(state)[0]

describe('the mode the EKS add-on is told', () => {
  const told = (configurationValues: string, name = 'kube-proxy') =>
    edited(cluster('denied kube-proxy config'), (copy) => {
      Object.assign(valueOf(copy.eks) ?? {}, { kubeProxyAddon: read({ status: 'ACTIVE', configurationValues }) })
      setOf(copy, 'kube-proxy').name = name
    })

  test.each([
    ['{"mode":"ipvs","ipvs":{"scheduler":"rr"}}', 'ipvs'],
    ['mode: nftables\n', 'nftables'],
    ['{"mode":"ipvsx"}', undefined],
    ['{"ipvs":{}}', undefined],
    ['{', undefined],
    ['"ipvs"', undefined],
    ['', undefined],
  ])('%p stands for a ConfigMap that may not be read as %s', (values, mode) => {
    const found = first(told(values))
    expect(found?.mode).toBe(mode)
    expect(found?.failure?.kind).toBe('denied')
    expect(found?.evidence.object).toBe(mode ? 'eks:DescribeAddon' : 'ConfigMap/kube-system/kube-proxy-config')
  })

  test('says nothing of a DaemonSet that is not its own', () => {
    expect(first(told('{"mode":"ipvs"}', 'kube-proxy-large'))?.mode).toBeUndefined()
  })

  test('makes no running mode likely: it has no time', () => {
    expect(runningModes(told('{"mode":"ipvs"}')).get('node-0001')?.mode).toBe('unknown')
  })

  test('does not count where the ConfigMap could be read', () => {
    expect(first(cluster('addon mode iptables'))?.mode).toBe('ipvs')
  })
})

const saying = (config: string): ClusterState =>
  edited(
    healthy(),
    (it) => void (it.configMaps['kube-system/kube-proxy-config'] = read(proxyConfig('', { data: { config } }))),
  )

describe('the configured mode', () => {
  test.each([
    ['mode: ipvs\niptables: {masqueradeAll: yes, masqueradeBit: 016}', { masqueradeAll: true, masqueradeBit: 14 }],
    ['x: &x {masqueradeBit: 0x10}\nmode: ipvs\niptables:\n  <<: *x', { masqueradeBit: 16 }],
    ['mode: iptables\nmode: ipvs\n', {}],
  ])('%p is read as kube-proxy reads it: YAML 1.1', (config, expected) => {
    expect(first(saying(config))).toMatchObject({ mode: 'ipvs', ...expected })
  })

  test.each([
    ['ipvs', 'ipvs'],
    ['iptables', 'iptables'],
    ['nftables', 'nftables'],
    ['', 'iptables'],
  ])('%p in the ConfigMap behind --config is %s', (text, mode) => {
    expect(first(healthy({ mode: text }))?.mode).toBe(mode)
  })

  test.each(['IPVS', 'userspace', 'ipvs '])('%p is refused by kube-proxy and so is no mode', (text) => {
    const found = first(healthy({ mode: text }))
    expect(found?.mode).toBeUndefined()
    expect(found?.problem).toContain('rejects')
  })

  test('beside --config the flag --proxy-mode is ignored', () => {
    const found = first(
      withSet({ command: ['kube-proxy', '--proxy-mode=iptables', '--config', '/var/lib/kube-proxy-config/config'] }),
    )
    expect(found).toMatchObject({ mode: 'ipvs', ignoredFlag: 'iptables', takenBy: 'file' })
  })

  test.each([
    [['kube-proxy', '--proxy-mode=ipvs'], 'ipvs'],
    [['kube-proxy', '--proxy-mode', 'nftables'], 'nftables'],
    [['sh', '-c', 'exec kube-proxy --proxy-mode="ipvs" --v=2'], 'ipvs'],
    [['kube-proxy', '--v=2'], 'iptables'],
  ])('without --config the flags %j say %s', (command, mode) => {
    expect(first(withSet({ command }))).toMatchObject({ mode, takenBy: 'flag' })
  })

  test('the key is found through the items of the volume and through subPath', () => {
    const data = { 'config.conf': 'mode: ipvs' }
    const state = edited(healthy(), (copy) => {
      copy.configMaps['kube-system/kube-proxy'] = read(proxyConfig('', { data }))
    })
    const command = ['kube-proxy', '--config=/etc/kp/main.yaml']
    const items = { 'config.conf': 'main.yaml' }
    for (const mountPath of ['/etc/kp', '/etc/kp/']) {
      const mounts = [{ mountPath, configMap: 'kube-proxy', items }]
      expect(first(withSet({ command, configMapMounts: mounts }, state))?.mode).toBe('ipvs')
    }
    const mounts = [{ mountPath: '/etc/kp/main.yaml', configMap: 'kube-proxy', items }]
    expect(first(withSet({ command, configMapMounts: mounts }, state))?.mode).toBe('ipvs')
  })

  test('stands where EKS and kubeadm keep it when the pod template does not say what is mounted at that path', () => {
    expect(first(withSet({ configMapMounts: [] }))?.mode).toBe('ipvs')
  })

  test.each([
    [
      'a file no ConfigMap holds',
      withSet({ command: ['kube-proxy', '--config=/etc/kp/main.yaml'], configMapMounts: [] }),
      /no ConfigMap/,
    ],
    [
      'a ConfigMap that is gone',
      edited(healthy(), (it) => void (it.configMaps = { 'kube-system/kube-proxy-config': read(undefined) })),
      /does not exist/,
    ],
    [
      'text that is not YAML',
      edited(
        healthy(),
        (it) =>
          void (it.configMaps['kube-system/kube-proxy-config'] = read(
            proxyConfig('', { data: { config: '{ mode: [' } }),
          )),
      ),
      /YAML/,
    ],
    ['a key that is a map, which kube-proxy rejects', saying('{mode: x}: ipvs\nmode: ipvs'), /YAML/],
  ])('%s is told and not guessed', (_, state, reason) => {
    const found = first(state)
    expect(found?.mode).toBeUndefined()
    expect(found?.problem).toMatch(reason)
  })

  test('several DaemonSets that differ have no common mode, and one for Windows does not count', () => {
    const other = kubeProxySet(1, {
      name: 'kube-proxy-b',
      uid: 'b',
      template: { ...kubeProxySet(1).template, command: ['kube-proxy'] },
    })
    const windows = kubeProxySet(1, {
      name: 'kube-proxy-windows',
      uid: 'w',
      nodeSelector: { 'kubernetes.io/os': 'windows' },
    })
    const both = (set: DaemonSetState) =>
      edited(
        healthy(),
        (it) => void (it.daemonSets = read([...(it.daemonSets as { value: DaemonSetState[] }).value, set])),
      )
    expect(commonMode(configuredModes(both(other)))).toBeUndefined()
    expect(commonMode(configuredModes(both(windows)))).toBe('ipvs')
  })

  test("the mode's last possible change is the last write of that very key, by whichever manager", () => {
    const managedFields = [
      owns('eks', ['f:data', 'f:config'], times.installed),
      owns('kubectl', ['f:data', 'f:config'], times.changed),
      owns('other', ['f:metadata', 'f:labels'], times.observed),
    ]
    const state = edited(
      healthy(),
      (it) => void (it.configMaps['kube-system/kube-proxy-config'] = read(proxyConfig('ipvs', { managedFields }))),
    )
    expect(first(state)?.changes).toEqual([times.installed, times.changed])
  })
})

const modeOn = (state: ClusterState, node = 'node-0001') => runningModes(state).get(node)

describe('the running mode', () => {
  test('a pod that started after the last possible change likely runs what is configured', () => {
    expect(modeOn(healthy())).toMatchObject({ mode: 'ipvs', confidence: 'likely' })
    expect(modeOn(restarted(modeChanged(healthy({ mode: 'iptables' }), 'ipvs'), 'kube-proxy'))).toMatchObject({
      mode: 'ipvs',
      confidence: 'likely',
    })
  })

  test('an older pod is in doubt, and without a log it stays unknown', () => {
    const found = modeOn(modeChanged(healthy(), 'iptables'))
    expect(found).toMatchObject({ mode: 'unknown', confidence: 'none' })
    expect(found?.reason).toMatch(/before its mode could last have changed/)
  })

  test('its own log proves it, and the logs of its group make it likely', () => {
    const state = logged(
      modeChanged(healthy(), 'iptables'),
      'kube-proxy',
      { mode: 'ipvs', line: 'Using ipvs Proxier' },
      ['node-0001'],
    )
    expect(modeOn(state)).toMatchObject({ mode: 'ipvs', confidence: 'proven' })
    expect(modeOn(state, 'node-0002')).toMatchObject({ mode: 'ipvs', confidence: 'likely' })
  })

  test('a log that was read and says nothing is not made up for by those of others', () => {
    const base = logged(modeChanged(healthy(), 'iptables'), 'kube-proxy', { mode: 'ipvs' }, ['node-0001'])
    const state = logged(base, 'kube-proxy', {}, ['node-0002'])
    expect(modeOn(state, 'node-0002')).toMatchObject({ mode: 'unknown' })
    expect(modeOn(state, 'node-0003')).toMatchObject({ mode: 'ipvs', confidence: 'likely' })
  })

  test.each([
    ['eks/kube-proxy:v1.25.16-minimal-eksbuild.2', 'v1.25.16-eks-1', 'unknown'],
    ['eks/kube-proxy:v1.25.16-minimal-eksbuild.2', 'v1.28.1-eks-1', 'unknown'],
    ['eks/kube-proxy:v1.26.1-minimal-eksbuild.2', 'v1.28.1-eks-1', 'ipvs'],
    // Three minor versions may lie between the server and kube-proxy.
    ['eks/kube-proxy@sha256:0123', 'v1.28.1-eks-1', 'unknown'],
    ['eks/kube-proxy@sha256:0123', 'v1.29.1-eks-1', 'ipvs'],
    ['eks/kube-proxy@sha256:0123', 'nonsense', 'unknown'],
  ])('%s at %s is %s by times alone: up to 1.25 it may have fallen back', (image, kubernetes, mode) => {
    const state = edited(healthy({ kubernetes, eks: false }), (it) => {
      for (const pod of podsOf(it, 'kube-proxy')) pod.image = image
    })
    expect(modeOn(state)?.mode).toBe(mode)
    expect(logsWorthReading(state, { deep: false })).toHaveLength(mode === 'unknown' ? 3 : 0)
  })

  test('logs of a group that do not agree leave the others unknown', () => {
    const base = modeChanged(healthy(), 'iptables')
    const state = logged(
      logged(base, 'kube-proxy', { mode: 'ipvs' }, ['node-0001']),
      'kube-proxy',
      { mode: 'iptables' },
      ['node-0002'],
    )
    expect(modeOn(state, 'node-0003')).toMatchObject({ mode: 'unknown' })
    expect(modeOn(state, 'node-0003')?.reason).toMatch(/do not agree/)
  })

  test('pods started between other changes are another group', () => {
    const base = restarted(modeChanged(healthy(), 'iptables'), 'kube-proxy', ['node-0003'])
    const state = logged(base, 'kube-proxy', { mode: 'ipvs' }, ['node-0001'])
    expect(modeOn(state, 'node-0002')).toMatchObject({ mode: 'ipvs', confidence: 'likely' })
    expect(modeOn(state, 'node-0003')).toMatchObject({ mode: 'iptables', confidence: 'likely' })
  })

  test('a log outweighs times', () => {
    expect(modeOn(logged(healthy(), 'kube-proxy', { mode: 'iptables' }))).toMatchObject({
      mode: 'iptables',
      confidence: 'proven',
    })
  })

  test.each([
    ['/proxyMode', { kind: 'proxyMode' as const, mode: 'ipvs' as const }, 'proven'],
    ['an Event of this process', { kind: 'event' as const, mode: 'ipvs' as const, at: times.observed }, 'likely'],
    ['an Event of a former process', { kind: 'event' as const, mode: 'ipvs' as const, at: times.installed }, 'none'],
  ])('%s is %s', (_, evidence, confidence) => {
    const state = edited(
      modeChanged(healthy(), 'iptables'),
      (it) => void (it.modeEvidence = { 'node-0001': [evidence] }),
    )
    expect(modeOn(state)?.confidence).toBe(confidence)
  })

  test('a pod of nobody’s with kube-proxy’s label, however new and whatever it logs, says nothing beside the DaemonSet’s', () => {
    const state = edited(healthy(), (it) => {
      const [{ daemonSet: _, ...own }] = podsOf(it, 'kube-proxy') as [PodState]
      const [createdAt, startedAt] = [times.observed, times.observed]
      const stray = { ...own, name: 'stray', uid: 'stray', flags: ['--proxy-mode=iptables'], createdAt, startedAt }
      it.pods = read([...(valueOf(it.pods) ?? []), stray])
      it.logs['kube-system/stray'] = read({ mode: 'iptables', line: 'Using iptables Proxier.', at: times.observed })
    })
    for (const { pod, mode } of runningModes(state).values())
      expect([pod.name === 'stray', mode]).toEqual([false, 'ipvs'])
  })

  test('an Event, which anybody may write who may write Events, changes nothing that is known otherwise', () => {
    const state = edited(cluster('mode iptables'), (it) => {
      it.modeEvidence = { 'node-0001': [{ kind: 'event', mode: 'ipvs', at: times.observed }] }
    })
    expect(modeOn(state)).toMatchObject({ mode: 'iptables', confidence: 'likely' })
  })

  test('a ConfigMap whose writers are unknown may have changed at any time', () => {
    const state = edited(
      healthy(),
      (it) => void (it.configMaps['kube-system/kube-proxy-config'] = read(proxyConfig('ipvs', { managedFields: [] }))),
    )
    expect(modeOn(state)).toMatchObject({ mode: 'unknown' })
  })

  test('a container restarted in place just after the change may have read the old file; later it has not', () => {
    const at = (startedAt: string) =>
      edited(modeChanged(healthy(), 'iptables'), (it) => {
        for (const pod of podsOf(it, 'kube-proxy')) Object.assign(pod, { startedAt, restartCount: 1 })
      })
    expect(modeOn(at('2026-11-10T12:00:30Z'))).toMatchObject({ mode: 'unknown' })
    expect(modeOn(at('2026-11-10T12:05:00Z'))).toMatchObject({ mode: 'iptables', confidence: 'likely' })
  })

  test('pods and the first configuration made in the same second agree', () => {
    const state = edited(healthy(), (it) => {
      for (const pod of podsOf(it, 'kube-proxy'))
        Object.assign(pod, { createdAt: times.installed, startedAt: times.installed })
    })
    expect(modeOn(state)).toMatchObject({ mode: 'ipvs', confidence: 'likely' })
  })

  test('in the second of the change a pod likely has it, but a log is read and outweighs that', () => {
    const state = edited(modeChanged(healthy(), 'iptables'), (it) => {
      for (const pod of podsOf(it, 'kube-proxy'))
        Object.assign(pod, { createdAt: times.changed, startedAt: times.changed })
    })
    expect(modeOn(state)).toMatchObject({ mode: 'iptables', confidence: 'likely' })
    expect(logsWorthReading(state, { deep: false }).filter((it) => it.role === 'kube-proxy')).toHaveLength(3)
    expect(modeOn(logged(state, 'kube-proxy', { mode: 'ipvs' }, ['node-0002']))).toMatchObject({
      mode: 'ipvs',
      confidence: 'likely',
    })
  })

  test('under OnDelete a pod older than the flags is in doubt, one made since is not', () => {
    const state = edited(withSet({ command: ['kube-proxy', '--proxy-mode=ipvs'] }), (it) => {
      const set = setOf(it, 'kube-proxy')
      set.updateStrategy = { type: 'OnDelete' }
      set.status.updated = 1
      set.managedFields = [owns('kubectl', ['f:spec', 'f:template', 'f:spec'], times.changed)]
    })
    const half = restarted(state, 'kube-proxy', ['node-0001'])
    expect(modeOn(half)).toMatchObject({ mode: 'ipvs', confidence: 'likely' })
    expect(modeOn(half, 'node-0002')).toMatchObject({ mode: 'unknown' })
  })

  test('a pod that has not started runs nothing', () => {
    const state = edited(healthy(), (it) => {
      const [pod] = podsOf(it, 'kube-proxy')
      delete pod?.startedAt
      Object.assign(pod ?? {}, { waiting: 'CrashLoopBackOff' })
    })
    expect(modeOn(state)?.reason).toContain('CrashLoopBackOff')
  })

  test('of two pods on a node the one that is not going away counts', () => {
    const state = edited(healthy(), (it) => {
      const [old] = podsOf(it, 'kube-proxy')
      if (old) old.deletedAt = times.observed
      const pod = podOf(setOf(it, 'kube-proxy'), 'node-0001', { name: 'kube-proxy-new' })
      ;(it.pods as { value: unknown[] }).value.unshift(pod)
    })
    expect(modeOn(state)?.pod.name).toBe('kube-proxy-new')
  })
})

const names = (state: ClusterState, deep = false) => logsWorthReading(state, { deep }).map((it) => it.name)

describe('logs worth reading', () => {
  test('none where times leave no doubt', () => {
    expect(names(healthy({ nodes: 20 }))).toEqual([])
    expect(names(healthy({ nodes: 20, mode: 'iptables' }))).toEqual([])
  })

  test('five of a group in doubt, spread over it, and not a second time', () => {
    const state = modeChanged(healthy({ nodes: 40 }), 'iptables')
    const wanted = names(state)
    expect(wanted).toHaveLength(5)
    expect(wanted.every((it) => it.startsWith('kube-proxy-'))).toBe(true)
    const afterwards = logged(
      state,
      'kube-proxy',
      { mode: 'ipvs' },
      wanted.map((it) => it.replace('kube-proxy-', '')),
    )
    expect(names(afterwards)).toEqual([])
  })

  test('five per group', () => {
    const some = Array.from({ length: 10 }, (_, at) => `node-${`${at + 1}`.padStart(4, '0')}`)
    const managedFields = ['2026-11-05T00:00:00Z', times.observed].map((time, at) =>
      owns(`m${at}`, ['f:data', 'f:config'], time),
    )
    const state = edited(restarted(healthy({ nodes: 40 }), 'kube-proxy', some), (it) => {
      it.configMaps['kube-system/kube-proxy-config'] = read(proxyConfig('ipvs', { managedFields }))
    })
    expect(names(state).filter((it) => it.startsWith('kube-proxy'))).toHaveLength(10)
  })

  test('all of both with deep', () => {
    expect(names(healthy({ nodes: 7 }), true)).toHaveLength(14)
  })

  test('five calico-node logs where nodes older than a change to iptables may have kept Felix in IPVS mode', () => {
    const state = restarted(modeChanged(healthy({ nodes: 12 }), 'iptables'), 'kube-proxy')
    const wanted = names(state)
    expect(wanted).toHaveLength(5)
    expect(wanted.every((it) => it.startsWith('calico-node-'))).toBe(true)
  })

  test('none of nodes that joined after the change', () => {
    const state = edited(restarted(modeChanged(healthy(), 'iptables'), 'kube-proxy'), (it) => {
      for (const node of nodesOf(it)) node.createdAt = times.restarted
    })
    expect(names(state)).toEqual([])
  })

  test('Calico up to 3.22 that started before ipvs is asked; a newer one follows the link by itself', () => {
    const switched = (calico: string) =>
      restarted(modeChanged(healthy({ mode: 'iptables', calico }), 'ipvs'), 'kube-proxy')
    expect(names(switched('v3.22.2'))).toHaveLength(3)
    expect(names(switched('v3.23.0'))).toEqual([])
  })

  test('five of kube-proxies that do not run: their last process has said why', () => {
    const state = edited(healthy({ nodes: 12 }), (it) => {
      for (const pod of podsOf(it, 'kube-proxy')) {
        delete pod.startedAt
        Object.assign(pod, { waiting: 'CrashLoopBackOff', restartCount: 7 })
      }
    })
    expect(names(state)).toHaveLength(5)
    const waiting = edited(state, (it) => {
      for (const pod of podsOf(it, 'kube-proxy')) pod.restartCount = 0
    })
    expect(names(waiting)).toEqual([])
  })

  test('five calico-nodes in eBPF mode where an ipvs mode may have left its link', () => {
    const without = (given: string) => names(cluster(given))
    expect(without('no kube-proxy, bpf')).toHaveLength(3)
    expect(without('no kube-proxy')).toEqual([])
    const away = (given: string) =>
      names(
        edited(cluster(given), (it) => {
          it.pods = read(podsOf(it, 'calico-node'))
          setOf(it, 'kube-proxy').status.desired = 0
        }),
      )
    expect(away('bpf')).toHaveLength(3)
    expect(away('bpf, mode iptables')).toEqual([])
  })

  test('none where no Calico runs', () => {
    const state = edited(modeChanged(healthy(), 'iptables'), (it) => void (it.pods = read(podsOf(it, 'kube-proxy'))))
    expect(names(state, true)).toEqual([])
  })

  test('none where pods cannot be read', () => {
    const denied = failed<never>({ kind: 'denied', object: 'Pods', message: 'forbidden', status: 403 })
    expect(names(edited(healthy(), (it) => void (it.pods = denied)))).toEqual([])
  })
})
