import { usesWireguard } from '../facts/node-judgement.ts'
import { counted } from '../counted.ts'
import type { NodeFacts } from '../facts/facts.ts'
import type { NodeCheck } from './checks.ts'
import { advice, maskLayer, type Room } from './mark.ts'
import { capacity, formatMask } from '../mark.ts'
import { atLeast } from '../version.ts'

interface Foresight {
  /** The future change, as the beginning of a sentence. */
  event: string
  room: Room
}

/** Calico 3.30 and WireGuard each reserve one more bit and so halve the room in the mask. */
function foreseen(it: NodeFacts): Foresight | undefined {
  const { version, values } = it
  const wireguard = usesWireguard(values)
  const isOld = version !== undefined && !atLeast(version, '3.30')
  const update = isOld && isShort(it, { calico: undefined, wireguard })
  const turnOn = !wireguard && isShort(it, { calico: version, wireguard: true })
  const events = [...(update ? ['after an update to Calico 3.30 or newer'] : []), ...(turnOn ? ['with WireGuard'] : [])]
  if (events.length === 0) return undefined
  return {
    event: events.join(', or ').replace(/^./, (first) => first.toUpperCase()),
    room: { calico: update ? undefined : version, wireguard: wireguard || turnOn },
  }
}

function isShort({ mark, node }: NodeFacts, { calico, wireguard }: Room): boolean {
  return node.podsMax !== undefined && capacity(mark?.mask ?? 0, calico, wireguard) < node.podsMax
}

/** The mask has room now. Reported if the next Calico update, or WireGuard, would use it up. */
export const markForesight: NodeCheck = (it, cluster) => {
  const { mark, node, ipvs } = it
  const now = mark?.capacity
  if (ipvs === 'no' || mark?.mask === undefined || now === undefined || node.podsMax === undefined) return []
  const next = now < node.podsMax ? undefined : foreseen(it)
  if (!next) return []
  // One of them is enough to use up the room, since each takes one bit; the advice covers all.
  const left = Math.max(0, (now + 2) / 2 - 2)
  return [
    {
      code: 'MARK_CAPACITY',
      severity: 'info',
      breaks: false,
      message: `${next.event}, the mark mask ${formatMask(mark.mask)} would have room for ${left} endpoints instead of ${now}, and the node may have ${counted(node.podsMax, 'pod')}.`,
      evidence: [maskLayer(it).evidence],
      seen: { object: `Node/${node.name}`, field: 'status.allocatable.pods', value: `${node.podsMax}` },
      remedy: `Before the update: ${advice(it, cluster, next.room).remedy}`,
    },
  ]
}
