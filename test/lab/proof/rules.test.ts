import { describe, expect, test } from '@jest/globals'
import { nodePortsIn, otherwise } from '../../verify/proof/rules.ts'

/** As Felix v3.28.4 left them in a node with kube-proxy's IPVS device. */
const saved = (ports: string, mark = 'bUR0hjplRDKWsXng'): string[] => [
  '*filter',
  ':cali-forward-check - [0:0]',
  '-A cali-INPUT -m comment --comment "cali:YHXh2XvaasL3jbTp" -j cali-forward-check',
  ...['tcp', 'udp'].map(
    (protocol) =>
      `-A cali-forward-check -p ${protocol} -m comment --comment "cali:${mark}" -m comment --comment "To kubernetes NodePort service" -m multiport --dports ${ports} -m set --match-set cali40this-host dst -g cali-set-endpoint-mark`,
  ),
  'COMMIT',
]

describe('What iptables-save says of node ports', () => {
  test('the range of the rules, once for all protocols', () => {
    expect(nodePortsIn(saved('20000:32767'))).toBe('20000:32767')
  })

  test('two ranges in the rules are not one', () => {
    expect(nodePortsIn([...saved('20000:32767'), ...saved('30000:32767')])).toBe('20000:32767,30000:32767')
  })

  test('nothing without IPVS, where Felix makes no such rules', () => {
    expect(nodePortsIn(['*filter', ':cali-INPUT - [0:0]', 'COMMIT'])).toBe('')
  })

  test('rules that differ in ports alone are otherwise the same', () => {
    expect(otherwise(saved('20000:32767', 'aaaa'))).toBe(otherwise(saved('30000:32767', 'bbbb')))
  })

  test('any other difference shows', () => {
    const other = saved('20000:32767').map((line) => line.replace('cali-set-endpoint-mark', 'RETURN'))
    expect(otherwise(other)).not.toBe(otherwise(saved('20000:32767')))
  })
})
