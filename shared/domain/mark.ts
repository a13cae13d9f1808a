import { parseMark } from './felix/params.ts'
import { atLeast, type CalicoVersion } from './version.ts'

export type MaskResult = { ok: true; mask: number } | { ok: false; reason: string }

/** Someone else's bits in the packet mark. */
export interface MarkUser {
  name: string
  bits: number
  /** Where the bits are defined. */
  source: string
}

/** Felix's own reading of a mask: decimal, hexadecimal, octal or binary, 32 bits, at least two of them set. */
export function parseMask(text: string): MaskResult {
  const parsed = parseMark(text)
  return parsed.ok ? { ok: true, mask: parsed.value } : parsed
}

export const formatMask = (mask: number): string => `0x${mask.toString(16).padStart(8, '0')}`

/** How many bits are set. For every node of a cluster, and more than once: no lists are made for it. */
export function bitsIn(mask: number): number {
  let count = 0
  for (let left = mask >>> 0; left !== 0; left = (left & (left - 1)) >>> 0) count += 1
  return count
}

/**
 * Bits that Felix takes for itself (felix/dataplane/driver.go): accept, pass, two for scratch, since 3.30 drop, and one
 * for WireGuard of either family. Version unknown: the newer count, which leaves less room.
 */
const reservedBits = (calico: CalicoVersion | undefined, wireguard: boolean): number =>
  (calico && !atLeast(calico, '3.30') ? 4 : 5) + (wireguard ? 1 : 0)

/**
 * Endpoints on one node that the mask has marks for in IPVS mode (felix/rules/epmark.go: zero is no mark, one stands
 * for every other endpoint). 0 where Felix would not start with it.
 */
export function capacity(mask: number, calico: CalicoVersion | undefined, wireguard: boolean): number {
  const left = bitsIn(mask) - reservedBits(calico, wireguard)
  return left < 1 ? 0 : 2 ** left - 2
}

const kubeProxySource = 'kubernetes: cmd/kube-proxy/app/options.go, masqueradeBit'

/** Who else is known to mark packets. Those of Calico's own default bits are not here by chance: both cannot run. */
export const neighbours: readonly MarkUser[] = [
  { name: 'kube-proxy masquerade', bits: 0x4000, source: kubeProxySource },
  { name: 'kubelet KUBE-MARK-DROP', bits: 0x8000, source: 'kubernetes: pkg/kubelet, iptables-drop-bit' },
  { name: 'Amazon VPC CNI connmark', bits: 0x80, source: 'amazon-vpc-cni-k8s: AWS_VPC_K8S_CNI_CONNMARK' },
  { name: 'CNI portmap plugin', bits: 0x2000, source: 'containernetworking/plugins: plugins/meta/portmap' },
  { name: 'Cilium', bits: 0x0f00, source: 'fwmark/registry' },
  { name: 'Tailscale', bits: 0xc0000, source: 'fwmark/registry' },
  { name: 'Weave Net', bits: 0x20000, source: 'fwmark/registry' },
]

export interface MarkContext {
  /** kube-proxy's `masqueradeBit`, where it is not 14. */
  masqueradeBit?: number
  /** The VPC CNI runs here. */
  vpcCni: boolean
  /** AWS_VPC_K8S_CNI_CONNMARK, where it is not 0x80. */
  connmark?: number
}

/** Those whose bits are in use on every node of such a cluster. */
export function markUsers({ masqueradeBit = 14, vpcCni, connmark = 0x80 }: MarkContext): MarkUser[] {
  const [masquerade, drop, cni, portmap] = neighbours as [MarkUser, MarkUser, MarkUser, MarkUser]
  const users = [{ ...masquerade, bits: (1 << masqueradeBit) >>> 0 }, drop, portmap]
  return vpcCni ? [...users, { ...cni, bits: connmark }] : users
}

/** Those among them whose bits the mask takes, each with the bits in dispute. */
export const overlaps = (mask: number, users: readonly MarkUser[]): MarkUser[] =>
  users.map((user) => ({ ...user, bits: (mask & user.bits) >>> 0 })).filter((user) => user.bits !== 0)

export interface MaskWanted {
  mask: number
  /** Pods and named host endpoints on the fullest node. */
  endpoints: number
  calico: CalicoVersion | undefined
  wireguard: boolean
  /** Kubernetes 1.36 and newer with Calico's CRDs up to 3.32: the spec field takes nothing above 0x7fffffff. */
  int32: boolean
  users: readonly MarkUser[]
}

export interface MaskAdvice {
  mask: number
  text: string
  capacity: number
  /** Otherwise only the annotation can hold it. */
  storableInSpec: boolean
}

// Calico's own default bits first, then those that few others use.
const candidates = [31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 8, 9, 10, 11, 12]

/** The least change that makes room and touches nobody's bits; the mask itself where it needs none. Undefined: there is no such mask. */
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

/** What the spec of the FelixConfiguration can hold. */
export const storableInSpec = (mask: number, int32: boolean): boolean => !(int32 && mask > 0x7fffffff)
