import { parseUint32 } from './felix/go.ts'
import { parseMark } from './felix/params.ts'
import type { Evidence } from './report.ts'
import { atLeast, type CalicoVersion } from './version.ts'

export type MaskResult = { ok: true; mask: number } | { ok: false; reason: string }

/** Bits of the packet mark that another program uses. */
export interface MarkUser {
  name: string
  bits: number
  /** Where the bits are defined. */
  source: string
  /** Evidence that it runs here. */
  evidence?: Evidence
  /** It only marks packets to ports of the host. */
  seldom?: true
}

/** The field of evidence that says which bits of the mask another program uses: a report's picture draws those bits. */
const bitsField = 'mark bits'

export const bitsEvidence = ({ name, bits }: Pick<MarkUser, 'name' | 'bits'>): Evidence => ({
  object: name,
  field: bitsField,
  value: formatMask(bits),
})

/** Whose bits a finding says are taken twice; none of evidence about anything else. */
export const bitsOfEvidence = ({ object, field, value = '' }: Evidence): { name: string; bits: number } | undefined =>
  field === bitsField && /^0x[\da-f]{8}$/.test(value) ? { name: object, bits: Number(value) } : undefined

/** Parses a mask like Felix: decimal, hexadecimal, octal or binary, 32 bits, at least two of them set. */
export function parseMask(text: string): MaskResult {
  const parsed = parseMark(text)
  return parsed.ok ? { ok: true, mask: parsed.value } : parsed
}

export const formatMask = (mask: number): string => `0x${mask.toString(16).padStart(8, '0')}`

/** The number of set bits. Called several times for every node, so it allocates nothing. */
export function bitsIn(mask: number): number {
  let count = 0
  for (let left = mask >>> 0; left !== 0; left = (left & (left - 1)) >>> 0) count += 1
  return count
}

/**
 * Bits that Felix reserves for itself (felix/dataplane/driver.go): accept, pass, two for scratch, since 3.30 drop,
 * and one for WireGuard of either family. If the version is unknown, the newer count is used, which leaves less room.
 */
const reservedBits = (calico: CalicoVersion | undefined, wireguard: boolean): number =>
  (calico && !atLeast(calico, '3.30') ? 4 : 5) + (wireguard ? 1 : 0)

/**
 * The number of endpoints on one node for which the mask has marks in IPVS mode (felix/rules/epmark.go: zero is no
 * mark, one mark is for all other endpoints). 0 if Felix does not start with this mask.
 */
export function capacity(mask: number, calico: CalicoVersion | undefined, wireguard: boolean): number {
  const left = bitsIn(mask) - reservedBits(calico, wireguard)
  return left < 1 ? 0 : 2 ** left - 2
}

/** Programs, other than Calico, that mark packets and run as a DaemonSet. */
export const neighbours = ['vpc-cni', 'cilium', 'tailscale', 'weave'] as const
export type Neighbour = (typeof neighbours)[number]

/** The environment variable that defines a program's bits. */
export const markVariables: Partial<Record<Neighbour, string>> = {
  'vpc-cni': 'AWS_VPC_K8S_CNI_CONNMARK',
  tailscale: 'TS_USERSPACE',
}

/** The bits of each program, according to its source code. */
const programs: Record<Neighbour, Pick<MarkUser, 'name' | 'bits' | 'source'>> = {
  'vpc-cni': {
    name: 'Amazon VPC CNI connmark',
    bits: 0x80,
    source: 'amazon-vpc-cni-k8s: pkg/networkutils/network.go, defaultConnmark',
  },
  // Cilium uses the other bits (the identity) only for traffic of its proxies.
  cilium: { name: 'Cilium', bits: 0x0f00, source: 'cilium: linux_defaults/mark.go, MagicMarkHostMask' },
  // Tailscale sets two of these bits and clears all of them.
  tailscale: { name: 'Tailscale', bits: 0xff0000, source: 'tailscale: tsconst, LinuxFwmarkMask' },
  weave: { name: 'Weave Net', bits: 0x20000, source: 'fwmark/registry' },
}

/** Used on every node, by kube-proxy, the kubelet and the CNI plugins of the runtime. */
const everywhere = (masqueradeBit: number): MarkUser[] => [
  {
    name: 'kube-proxy masquerade',
    bits: (1 << masqueradeBit) >>> 0,
    source: 'kubernetes: cmd/kube-proxy/app/options.go, masqueradeBit',
  },
  { name: 'kubelet KUBE-MARK-DROP', bits: 0x8000, source: 'kubernetes: pkg/kubelet, iptables-drop-bit' },
  {
    name: 'CNI portmap plugin',
    bits: 0x2000,
    source: 'containernetworking/plugins: plugins/meta/portmap',
    seldom: true,
  },
]

/** One program that runs on the node, with the evidence. */
export interface MarkingProgram {
  neighbour: Neighbour
  evidence?: Evidence
  /** The value of the variable that defines its bits; absent: the default. */
  value?: string
  /** The source of the value, if the value itself is not read. */
  hidden?: string
}

export interface MarkContext {
  /** kube-proxy's `masqueradeBit`, if it is not 14. */
  masqueradeBit?: number
  programs: readonly MarkingProgram[]
}

/** The programs whose bits are in use on a node. */
export const markUsers = ({ masqueradeBit = 14, programs: running }: MarkContext): MarkUser[] => [
  ...everywhere(masqueradeBit),
  ...running.flatMap((it) => {
    const bits = bitsOf(it)
    return bits === 0 ? [] : [{ ...programs[it.neighbour], bits, ...(it.evidence && { evidence: it.evidence }) }]
  }),
]

export const nameOf = ({ neighbour }: MarkingProgram): string => programs[neighbour].name

/** 0: it uses no bits, or they are not known. */
function bitsOf({ neighbour, value, hidden }: MarkingProgram): number {
  const { bits } = programs[neighbour]
  if (hidden !== undefined) return 0
  switch (neighbour) {
    case 'vpc-cni':
      return connmark(value) ?? bits
    case 'tailscale':
      // By default its container runs in user space and marks nothing.
      return value === 'false' || value === '0' ? bits : 0
    case 'cilium':
    case 'weave':
      return bits
  }
}

/**
 * Parses the value like the VPC CNI (getConnmark): Go integers of any base; a missing, invalid or out-of-range value
 * means the default.
 */
function connmark(value: string | undefined): number | undefined {
  return parseUint32((value ?? '').replace(/^\+/, '')) || undefined
}

/** The programs whose bits overlap the mask, each with the overlapping bits. */
export const overlaps = (mask: number, users: readonly MarkUser[]): MarkUser[] =>
  users.map((user) => ({ ...user, bits: (mask & user.bits) >>> 0 })).filter((user) => user.bits !== 0)

export interface MaskWanted {
  mask: number
  /** Pods and named host endpoints on the fullest node. */
  endpoints: number
  calico: CalicoVersion | undefined
  wireguard: boolean
  /** Kubernetes 1.36 and newer with Calico's CRDs up to 3.32: the spec field accepts no value above 0x7fffffff. */
  int32: boolean
  users: readonly MarkUser[]
}

export interface MaskAdvice {
  mask: number
  text: string
  capacity: number
  /** If not, only the annotation can hold it. */
  storableInSpec: boolean
}

// Calico's own default bits first, then bits that few other programs use.
const candidates = [31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 8, 9, 10, 11, 12]

/**
 * The smallest change of the mask that has enough room and uses no bits of other programs. Undefined: there is no
 * such mask.
 */
export function betterMask(wanted: MaskWanted): MaskAdvice | undefined {
  const taken = wanted.users.reduce((bits, user) => bits | user.bits, 0)
  const free = candidates.filter((bit) => !((taken >>> bit) & 1))
  let mask = (wanted.mask & ~taken) >>> 0
  for (const bit of free) {
    if (fits(mask, wanted)) break
    mask = (mask | (1 << bit)) >>> 0
  }
  return fits(mask, wanted) ? adviceFor(mask, wanted) : undefined
}

const fits = (mask: number, { calico, wireguard, endpoints }: MaskWanted): boolean =>
  capacity(mask, calico, wireguard) >= Math.max(1, endpoints)

const adviceFor = (mask: number, { calico, wireguard, int32 }: MaskWanted): MaskAdvice => ({
  mask,
  text: formatMask(mask),
  capacity: capacity(mask, calico, wireguard),
  storableInSpec: storableInSpec(mask, int32),
})

/** Whether the spec of the FelixConfiguration can store the mask. */
export const storableInSpec = (mask: number, int32: boolean): boolean => !(int32 && mask > 0x7fffffff)
