import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { betterMask, capacity, formatMask, markUsers, overlaps, parseMask } from '../../shared/domain/mark.ts'
import { type CalicoVersion, parseVersion } from '../../shared/domain/version.ts'

const calico = (text: string): CalicoVersion => {
  const version = parseVersion(text)
  if (!version) throw new Error(text)
  return version
}
const [before330, since330] = [calico('v3.29.7'), calico('v3.30.0')]

interface Recorded {
  mask: string
  reserved: 4 | 5
  wireguard: boolean
  /** -1: Felix did not start. */
  capacity: number
}

const recorded = readFileSync(new URL('../vectors/endpoint-capacity.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded)

describe('the room for endpoints in a mask', () => {
  test("is what Felix's own allocator had in all 72 recorded cases", () => {
    expect(recorded).toHaveLength(72)
    const ours = recorded.map((it) => capacity(Number(it.mask), it.reserved === 4 ? before330 : since330, it.wireguard))
    expect(ours).toEqual(recorded.map((it) => Math.max(0, it.capacity)))
  })

  test('is none where Felix would not start', () => {
    expect(capacity(0xf8000000, since330, false)).toBe(0)
    expect(capacity(0, before330, false)).toBe(0)
  })

  test('of an unknown version is that of the newer ones', () => {
    expect(capacity(0xffff0000, undefined, true)).toBe(1022)
  })
})

describe("Felix's reading of a mask", () => {
  test.each([
    ['0xffff0300', 0xffff0300],
    ['0XFFFF0300', 0xffff0300],
    ['4294902528', 0xffff0300],
    ['0xffff_0300', 0xffff0300],
    ['037777600000', 0xffff0000],
    ['0o377', 0xff],
    ['0b11', 3],
    ['0_7', 7],
    ['0x00000000000000000000000000ff', 0xff],
  ])('takes %s', (text, mask) => {
    expect(parseMask(text)).toEqual({ ok: true, mask })
  })

  test.each([
    '',
    'ffff0300',
    ' 0xff',
    '0xff ',
    '+255',
    '-1',
    '0x',
    '0b',
    '08',
    '0x1ffffffff',
    '4294967296',
    '0xff_',
    '0x__ff',
    '1__0',
    '_10',
    '255.0',
  ])('refuses %j as no number', (text) => {
    expect(parseMask(text)).toEqual({ ok: false, reason: 'invalid mark: should be 32-bit int' })
  })

  test.each(['0', '0x80000000', '8', '0x0'])('refuses %s for want of bits', (text) => {
    expect(parseMask(text)).toEqual({ ok: false, reason: 'invalid mark: needs to have 2 bits set' })
  })
})

const vpcCni = { neighbour: 'vpc-cni' } as const

describe('bits that others use', () => {
  test.each([
    ['0x20000', 0x20000],
    ['131072', 0x20000],
    ['0o400000', 0x20000],
    ['0x8000_0000', 0x80000000],
    ['+0x100', 0x100],
    ['', 0x80],
    ['0', 0x80],
    ['-1', 0x80],
    ['0x100000000', 0x80],
    ['many', 0x80],
  ])('of a VPC CNI that is told %j are read as it reads them', (value, bits) => {
    const found = markUsers({ programs: [{ ...vpcCni, value }] }).find(({ name }) => name.includes('VPC CNI'))
    expect(found?.bits).toBe(bits)
  })

  test.each([
    ['Cilium', { neighbour: 'cilium' }, 0x0f00],
    ['Weave Net', { neighbour: 'weave' }, 0x20000],
    ['Tailscale', { neighbour: 'tailscale', value: 'false' }, 0xff0000],
  ] as const)('of %s count where it runs', (name, program, bits) => {
    expect(overlaps(0xffffffff, markUsers({ programs: [program] }))).toContainEqual(
      expect.objectContaining({ name, bits }),
    )
    expect(markUsers({ programs: [] }).map((it) => it.name)).not.toContain(name)
  })

  test.each([
    ['Tailscale in user space', { neighbour: 'tailscale' }],
    ['Tailscale that is told so', { neighbour: 'tailscale', value: 'true' }],
    ['a VPC CNI whose variable cannot be seen', { ...vpcCni, hidden: 'secretKeyRef' }],
  ] as const)('of %s are none that could be said', (_, program) => {
    expect(markUsers({ programs: [program] })).toEqual(markUsers({ programs: [] }))
  })

  test("Calico's default touches nobody's", () => {
    expect(overlaps(0xffff0000, markUsers({ programs: [vpcCni] }))).toEqual([])
  })

  test('are named with the bits in dispute', () => {
    const found = overlaps(0xffffc080, markUsers({ programs: [vpcCni] })).map((it) => [it.name, formatMask(it.bits)])
    expect(found).toEqual([
      ['kube-proxy masquerade', '0x00004000'],
      ['kubelet KUBE-MARK-DROP', '0x00008000'],
      ['Amazon VPC CNI connmark', '0x00000080'],
    ])
  })

  test("follow kube-proxy's masqueradeBit and the VPC CNI's connmark", () => {
    const users = markUsers({ masqueradeBit: 31, programs: [{ ...vpcCni, value: '0x100' }] })
    expect(overlaps(0x80000100, users).map((it) => it.bits)).toEqual([0x80000000, 0x100])
  })

  test('of the VPC CNI do not matter without it', () => {
    expect(overlaps(0xffff0080, markUsers({ programs: [] }))).toEqual([])
  })
})

describe('a better mask', () => {
  const wanted = { calico: since330, wireguard: false, int32: false, users: markUsers({ programs: [vpcCni] }) }

  test('is the mask itself where it needs no change', () => {
    expect(betterMask({ ...wanted, mask: 0xffff0000, endpoints: 110 })?.text).toBe('0xffff0000')
  })

  test("first gives back Calico's own bits that a narrowed mask lost", () => {
    expect(betterMask({ ...wanted, mask: 0xff000000, endpoints: 250 })).toMatchObject({
      text: '0xfff80000',
      capacity: 254,
    })
  })

  test('then takes the bits from 8 up, and no more than it needs', () => {
    expect(betterMask({ ...wanted, mask: 0xffff0000, endpoints: 4094 })).toMatchObject({
      text: '0xffff0100',
      capacity: 4094,
    })
    expect(betterMask({ ...wanted, mask: 0xffff0000, endpoints: 4095 })).toMatchObject({
      text: '0xffff0300',
      capacity: 8190,
    })
  })

  test('drops the bits of others', () => {
    expect(betterMask({ ...wanted, mask: 0xffffc000, endpoints: 110 })?.text).toBe('0xffff0000')
  })

  test('says where the spec field cannot hold it', () => {
    const advice = betterMask({ ...wanted, mask: 0xffff0000, endpoints: 4094, int32: true })
    expect(advice).toMatchObject({ text: '0xffff0100', storableInSpec: false })
    expect(betterMask({ ...wanted, mask: 0x7fff0000, endpoints: 10, int32: true })?.storableInSpec).toBe(true)
  })

  test('does not exist for more endpoints than all free bits can tell apart', () => {
    expect(betterMask({ ...wanted, mask: 0xffff0000, endpoints: 100_000 })).toBeUndefined()
  })
})
