import type { CalicoVersion } from './version.ts'

export type MaskResult = { ok: true; mask: number } | { ok: false; reason: string }

/** Someone else's bits in the packet mark. */
export interface MarkUser {
  name: string
  bits: number
  /** Where the bits are documented or defined. */
  source: string
}

export interface MaskAdvice {
  mask: number
  text: string
  capacity: number
  /** Whether the spec field can hold it; otherwise only the annotation can. */
  storableInSpec: boolean
}

/** Felix's `mark-bitmask` parser (strconv.ParseUint base 0, 32 bits, at least two bits set). */
export declare function parseMask(text: string): MaskResult

/** Endpoints on one node that the mask has marks for in IPVS mode; 0 where Felix would not start with it. */
export declare function capacity(mask: number, calico: CalicoVersion, wireguard: boolean): number

export declare const neighbours: readonly MarkUser[]

export declare function overlaps(mask: number, users: readonly MarkUser[]): MarkUser[]

export declare function formatMask(mask: number): string

/** The least change that makes room: bits 8 to 12 added to the present mask, never a bit of a neighbour. Undefined: none found. */
export declare function betterMask(wanted: {
  mask: number
  endpoints: number
  calico: CalicoVersion
  wireguard: boolean
  /** Kubernetes 1.36 and newer with Calico's CRDs up to 3.32 refuse values above 0x7fffffff in the spec field. */
  int32: boolean
  users: readonly MarkUser[]
}): MaskAdvice | undefined
