import { describe, expect, test } from '@jest/globals'
import { felixLog, kubeProxyLog, type LogReader } from '../../shared/clients/kube/logs.ts'

const at = '2026-11-23T04:54:40.123456789Z'

function evidence(reader: LogReader, lines: string[], { whole = true, piece = 7 } = {}) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  for (let from = 0; from < bytes.length; from += piece) if (!reader.take(bytes.subarray(from, from + piece))) break
  return reader.evidence(whole)
}

describe('what kube-proxy says of its mode', () => {
  test.each([
    ['I1031 00:39:54.832710       1 server_others.go:170] Using ipvs Proxier.', 'ipvs'],
    ['I0102 03:04:05.000003       1 server_linux.go:137] "Using ipvs Proxier"', 'ipvs'],
    ['I1031 00:41:34.590426       1 server_others.go:143] Using iptables Proxier.', 'iptables'],
    ['I0102 03:04:05.000003       1 server_linux.go:137] "Using iptables Proxy"', 'iptables'],
    ['I0102 03:04:05.000003       1 server_linux.go:137] "Using nftables Proxier"', 'nftables'],
  ])('%s', (line, mode) => {
    expect(evidence(kubeProxyLog(), ['I0102 1 server.go:539] "Version info"', `${at} ${line}`])).toEqual({
      mode,
      line,
      at,
    })
  })

  test('nothing decisive where the banner has been rotated away', () => {
    expect(
      evidence(kubeProxyLog(), ['I0102 proxier.go:796] "SyncProxyRules complete"', 'Using winkernel Proxier']),
    ).toEqual({})
  })

  test('that it fell back to iptables, and the modules it missed', () => {
    const missed = `E0412 10:15:48.739711       1 server_others.go:107] "Can't use the IPVS proxier" err="IPVS proxier will not be used because the following required kernel modules are not loaded: [ip_vs_lc ip_vs_rr]"`
    const using = 'I0412 10:15:48.762531       1 server_others.go:206] "Using iptables Proxier"'
    expect(evidence(kubeProxyLog(), [missed, using])).toEqual({
      mode: 'iptables',
      line: using,
      missing: ['ip_vs_lc', 'ip_vs_rr'],
    })
  })

  test('of the end of one that died, its last complaint', () => {
    const said = 'I0102 03:04:05.000003       1 server_linux.go:137] "Using ipvs Proxier"'
    const died =
      'E0102 03:04:06.000003       1 run.go:72] "command failed" err="listen tcp :10256: bind: address in use"'
    expect(evidence(kubeProxyLog(), [said, died])).toEqual({ mode: 'ipvs', line: said })
    expect(evidence(kubeProxyLog({ ended: true }), [said, died, 'bye'])).toEqual({ ended: died })
  })

  test('the reader has enough at the first word of it', () => {
    const reader = kubeProxyLog()
    expect(reader.take(Buffer.from('first\nUsing ipvs Proxier\n'))).toBe(false)
  })

  test('a line of megabytes is not kept', () => {
    expect(evidence(kubeProxyLog(), ['x'.repeat(3_000_000), 'Using ipvs Proxier'], { piece: 65_536 })).toMatchObject({
      mode: 'ipvs',
    })
  })
})

describe('what Felix says of IPVS', () => {
  const loaded = '2026-01-02 03:04:05.001 [INFO][64] felix/daemon.go 379: Successfully loaded configuration.'
  const driver = '2026-01-02 03:04:05.001 [INFO][64] felix/driver.go 74: Using internal (linux) dataplane driver.'
  const enabled =
    '2026-01-02 03:04:05.002 [INFO][64] felix/driver.go 83: Kube-proxy in ipvs mode, enabling felix kube-proxy ipvs support.'
  const ignored =
    "2026-01-02 03:04:05.002 [INFO][64] felix/driver.go 79: kube-proxy IPVS device found but we're in BPF mode, ignoring."
  const creating = '2026-01-02 03:04:05.003 [INFO][64] felix/int_dataplane.go 421: Creating internal dataplane driver.'
  const exiting = '2026-01-02 04:00:00.000 [FATAL][64] felix/daemon.go 948: Exiting for config change'
  const started = '2026-01-02 03:04:05.000 [INFO][64] felix/daemon.go 121: Felix starting up buildVersion="v3.31.4"'
  const warning = '2026-01-02 03:04:06.003 [WARNING][64] felix/int_dataplane.go 1200: Failed to resync with dataplane'
  const summary =
    '2026-01-02 03:04:07.003 [INFO][64] felix/summary.go 100: Summarising 11 dataplane reconciliation loops'
  const changed =
    '2026-01-02 03:04:07.003 [INFO][640] felix/int_dataplane.go 1877: kube-proxy mode changed. Restart felix. ipvsIfaceState="down" ipvsSupport=false'
  const other = '2026-01-02 03:04:05.002 [INFO][60] confd/client.go 995: Recompute BGP peerings'

  test('the words after the start: IPVS', () => {
    expect(evidence(felixLog(), [loaded, driver, `${at} ${enabled}`, creating])).toEqual({
      felixIpvs: true,
      line: enabled,
      at,
    })
  })

  test('a start that goes on without these words: no IPVS', () => {
    expect(evidence(felixLog(), [loaded, driver, other, creating])).toMatchObject({ felixIpvs: false, line: creating })
  })

  test('with BPF the device is ignored: no IPVS', () => {
    expect(evidence(felixLog(), [loaded, driver, ignored, creating])).toEqual({
      felixIpvs: false,
      line: creating,
      linkSeen: { line: ignored },
    })
  })

  test('the link that it sees and that does not fit, also between two starts and where the start is rotated away', () => {
    const seen = { linkSeen: { line: changed } }
    expect(evidence(felixLog(), [loaded, driver, ignored, creating, changed, exiting])).toEqual(seen)
    expect(evidence(felixLog(), [summary, changed, exiting])).toEqual(seen)
    expect(
      evidence(felixLog(), [loaded, driver, ignored, creating, changed, exiting, loaded, driver, creating]),
    ).toEqual({
      felixIpvs: false,
      line: creating,
    })
  })

  test('the positive line decides wherever it stands', () => {
    expect(evidence(felixLog(), [summary, enabled, summary])).toEqual({ felixIpvs: true, line: enabled })
  })

  test.each([
    ['a start that has not come to its dataplane yet', [loaded, driver, other]],
    ['nothing of a start at all', [other, creating]],
    ['an exit after which no start is seen', [loaded, driver, enabled, creating, exiting]],
    ['a restart that has not come to its dataplane yet', [loaded, enabled, creating, exiting, loaded]],
    ['an empty log', []],
    ['a start that is not logged, as at level Warning', [started, warning, 'Calico node started successfully']],
    ['a log that begins after its start (rotated)', [summary, warning, summary]],
  ])('%s proves nothing', (_, lines) => {
    expect(evidence(felixLog(), lines)).toEqual({})
  })

  test('of several starts in one container the last counts', () => {
    expect(evidence(felixLog(), [loaded, driver, creating, exiting, loaded, driver, enabled, creating])).toMatchObject({
      felixIpvs: true,
    })
    expect(evidence(felixLog(), [loaded, enabled, creating, exiting, loaded, driver, creating])).toMatchObject({
      felixIpvs: false,
    })
  })

  test('a log that was cut off proves nothing: a later start may follow', () => {
    expect(evidence(felixLog(), [loaded, driver, enabled, creating], { whole: false })).toEqual({})
  })
})
