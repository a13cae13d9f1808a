import type { Rollout } from '../shared/domain/rollout.ts'
import { counted, plain } from '../shared/report/wording.ts'

const next: Record<Rollout['state'], string> = {
  running: 'Whoever holds the Lease carries it out; sync goes on with it here.',
  paused: 'Nothing is touched until: calico-ipvs-sync rollout resume',
  halted: 'Nothing is touched until the node is repaired and: calico-ipvs-sync rollout resume (or abort)',
  aborting: 'Overrides are being taken back; rollout abort goes on with it here.',
  aborted: 'Nothing is left to do for it.',
  done: 'Nothing is left to do for it.',
}

/** Where it stands, for people. */
export const rolloutText = (rollout: Rollout | undefined, bold: (text: string) => string): string => {
  if (!rollout) return 'There is no rollout in this cluster.\n'
  const { id, state, target, restart, touching, canary, startedAt, finishedAt, reason, pace } = rollout
  const lines = [
    `${bold(state.toUpperCase())}  rollout ${plain(id)}`,
    target && `  range     ${plain(target)}, ${pace.strategy}, ${pace.maxUnavailable} at a time`,
    canary && `  first     ${plain(canary)}`,
    restart.length > 0 && `  restarts  ${counted(restart.length, 'calico-node pod')}`,
    ...touching.map(({ node, at }) => `  touched   ${plain(node)} at ${plain(at)}`),
    `  began     ${plain(startedAt)}`,
    finishedAt && `  ended     ${plain(finishedAt)}`,
    reason && `  why       ${plain(reason)}`,
    `  ${next[state]}`,
  ]
  return `${lines.filter(Boolean).join('\n')}\n`
}
