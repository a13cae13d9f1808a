import { describe, expect, test } from '@jest/globals'
import { matchesFilter } from '../../lab/aws/filter-pattern.ts'
import { auditPattern, touchedByLine } from '../../shared/domain/event/audit-log.ts'
import { auditLine } from '../infra/audit-lines.ts'

const system = { namespace: 'kube-system' }
const calico = { apiGroup: 'crd.projectcalico.org' }

/** What a line is about, whether CloudWatch Logs lets it through, and whether it leads to a look. */
const table: [what: string, line: object, passes: boolean, looks: boolean][] = [
  [
    'a patch of the ConfigMap kube-proxy-config',
    auditLine('patch', 'configmaps', 'kube-proxy-config', system),
    true,
    true,
  ],
  ['an update of the ConfigMap kube-proxy', auditLine('update', 'configmaps', 'kube-proxy', system), true, true],
  [
    'a ConfigMap of that name elsewhere',
    auditLine('update', 'configmaps', 'kube-proxy', { namespace: 'team-a' }),
    true,
    false,
  ],
  ['another ConfigMap', auditLine('update', 'configmaps', 'coredns', system), false, false],
  ['a ConfigMap that is read', auditLine('get', 'configmaps', 'kube-proxy', system), false, false],
  ['all ConfigMaps deleted', auditLine('deletecollection', 'configmaps', undefined, system), true, true],
  [
    'the DaemonSet kube-proxy',
    auditLine('patch', 'daemonsets', 'kube-proxy', { ...system, apiGroup: 'apps' }),
    true,
    true,
  ],
  [
    'the DaemonSet calico-node of the operator',
    auditLine('patch', 'daemonsets', 'calico-node', { namespace: 'calico-system', apiGroup: 'apps' }),
    true,
    true,
  ],
  [
    'the DaemonSet calico-node of a manifest',
    auditLine('delete', 'daemonsets', 'calico-node', { ...system, apiGroup: 'apps' }),
    true,
    true,
  ],
  [
    'the status of a DaemonSet',
    auditLine('update', 'daemonsets', 'calico-node', { ...system, subresource: 'status' }),
    false,
    false,
  ],
  ['another DaemonSet', auditLine('patch', 'daemonsets', 'aws-node', system), false, false],
  ['a FelixConfiguration', auditLine('update', 'felixconfigurations', 'default', calico), true, true],
  [
    'one of Calico’s own API server',
    auditLine('create', 'felixconfigurations', 'node.a', { apiGroup: 'projectcalico.org' }),
    true,
    true,
  ],
  [
    'a kind of that name of somebody else',
    auditLine('create', 'felixconfigurations', 'x', { apiGroup: 'example.com' }),
    true,
    false,
  ],
  ['an IPPool', auditLine('delete', 'ippools', 'default-ipv4-ippool', calico), true, true],
  ['an Installation', auditLine('patch', 'installations', 'default', { apiGroup: 'operator.tigera.io' }), true, true],
  [
    'the status of an Installation',
    auditLine('patch', 'installations', 'default', { apiGroup: 'operator.tigera.io', subresource: 'status' }),
    false,
    false,
  ],
  [
    'a write that was refused',
    { ...auditLine('patch', 'configmaps', 'kube-proxy', system), responseStatus: { code: 403 } },
    false,
    false,
  ],
  [
    'a write that is only received',
    { ...auditLine('patch', 'configmaps', 'kube-proxy', system), stage: 'RequestReceived' },
    false,
    false,
  ],
  ['a Secret', auditLine('patch', 'secrets', 'kube-proxy', system), false, false],
  ['a Pod of kube-proxy', auditLine('delete', 'pods', 'kube-proxy-x', system), false, false],
  ['no API call at all', { message: 'hello' }, false, false],
]

const our = {
  userAgent: 'calico-ipvs-sync/0.1.0',
  user: { groups: ['calico-ipvs-sync-operators', 'system:authenticated'] },
}
const write = auditLine('update', 'felixconfigurations', 'default', calico)

describe('a line of an audit log', () => {
  test.each(table)('about %s', (_, line, passes, looks) => {
    const text = JSON.stringify(line)
    expect(matchesFilter(auditPattern, text)).toBe(passes)
    expect(touchedByLine(text) !== undefined).toBe(looks)
    // What the function would look for is never held back before it.
    expect(!looks || passes).toBe(true)
  })

  test('says who did what to which object, for the log', () => {
    expect(touchedByLine(JSON.stringify(write))).toEqual({ cause: 'audit log: update felixconfigurations default' })
  })

  test('of our own write leads to no look: by the group of our role and the name of our client together', () => {
    expect(touchedByLine(JSON.stringify({ ...write, ...our }))).toBeUndefined()
    expect(touchedByLine(JSON.stringify({ ...write, userAgent: our.userAgent }))).toBeDefined()
    expect(touchedByLine(JSON.stringify({ ...write, user: our.user }))).toBeDefined()
  })

  test.each(['', 'oops', '[]', 'null', '{"objectRef":7,"stage":"ResponseComplete"}', '{"stage":{}}'])(
    'that is none (%s) says nothing',
    (line) => expect(touchedByLine(line)).toBeUndefined(),
  )

  test('is filtered by a pattern that CloudWatch Logs takes', () => {
    expect(auditPattern.length).toBeLessThanOrEqual(1_024)
  })
})
