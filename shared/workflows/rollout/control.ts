import type { KubeClient } from '../../clients/kube/client.ts'
import { restoresDefault } from '../../domain/rollout/halt-evidence.ts'
import { parseRollout } from '../../domain/rollout/parse.ts'
import { rolloutAnnotations, type Rollout } from '../../domain/rollout/rollout.ts'
import { oneByOne } from '../../domain/rollout/pace.ts'
import { readAgain } from '../../errors.ts'
import { needed } from '../needed.ts'
import { checkedBefore, leftOut, uncheckedBefore } from './resume.ts'
import { entriesOf, putSurely, withJournal } from './lease.ts'
import { notUnderstood } from './step.ts'

export type Control = 'pause' | 'resume' | 'abort'

/** `about`: what a person must know of it. */
export type Controlled = { changed: true; rollout: Rollout; about?: string } | { changed: false; why: string }

const from: Record<Control, Rollout['state'][]> = {
  pause: ['running'],
  resume: ['paused', 'halted'],
  abort: ['running', 'paused', 'halted'],
}

/**
 * The person, for the journal. `force`: a halted rollout is resumed although its reason still exists, one node at a
 * time.
 */
export interface Speaker {
  by: string
  now: () => Date
  force?: boolean
}

const somebody: Speaker = { by: 'somebody', now: () => new Date() }

/**
 * Pauses, resumes or aborts a rollout for a person. The process that holds the Lease keeps it and sees the change at its
 * next step. If another process writes or deletes the Lease at the same time, it decides again from the new state. Throws
 * `ReadError` if what it decides from cannot be read, `KubeError` if it cannot be written.
 */
export const control = async (kube: KubeClient, what: Control, speaker: Speaker = somebody): Promise<Controlled> => {
  for (let outdated = 0; ; ) {
    try {
      return await controlOnce(kube, what, speaker)
    } catch (error) {
      outdated = readAgain(error, outdated).outdated
    }
  }
}

const controlOnce = async (
  kube: KubeClient,
  what: Control,
  { by: holder, now, force = false }: Speaker,
): Promise<Controlled> => {
  const record = needed(await kube.lease())
  const parsed = parseRollout(record, now().getTime())
  if (parsed.is === 'invalid') return { changed: false, why: notUnderstood(parsed.why) }
  if (!record || parsed.is === 'none') return { changed: false, why: 'There is no rollout in this cluster.' }
  const { rollout } = parsed
  if (!from[what].includes(rollout.state))
    return { changed: false, why: `The rollout is ${rollout.state}; it cannot be changed by ${what}.` }
  // An abort would leave `default` with the value that breaks nodes.
  if (what === 'abort' && rollout.rollback && restoresDefault(rollout.evidence))
    return {
      changed: false,
      why: 'The former value of default is still being restored; sync finishes that, then the rollout can be aborted.',
    }
  const asked = controlled(rollout, what, force)
  const before = rollout.state === 'halted' && !force ? checkedBefore : uncheckedBefore
  const looked =
    what === 'resume' ? await before(kube, rollout, { resumed: asked, now: now() }) : { rollout: asked, apart: [] }
  if ('against' in looked)
    return { changed: false, why: `The rollout stays halted: ${looked.against}. --force overrides this.` }
  const { rollout: after, apart } = looked
  const about = apart.length > 0 ? leftOut(apart) : undefined
  const why = ['manually', ...(force ? ['with --force'] : []), ...(about === undefined ? [] : [about])].join(', ')
  const note = [{ what, from: rollout.state, to: after.state, why }]
  const next = withJournal(after, { entries: entriesOf({ now, holder }, after, note) })
  await putSurely(kube, { resourceVersion: record.resourceVersion, annotations: rolloutAnnotations(next) })
  return { changed: true, rollout: next, ...(about !== undefined && { about }) }
}

const controlled = (rollout: Rollout, what: Control, force: boolean): Rollout => {
  switch (what) {
    case 'pause':
      return { ...rollout, state: 'paused', reason: 'paused by hand' }
    case 'resume':
      return resumed(rollout, force)
    case 'abort':
      return { ...cleared(rollout), state: 'aborting' }
  }
}

/**
 * What was written stays known, so that what somebody reverts in the meantime is not written again. After a halt for that
 * reason, or with `force`, a person has asked for it.
 */
const resumed = (rollout: Rollout, force: boolean): Rollout => {
  const { written, reverted, ...rest } = cleared(rollout)
  const isAskedFor = force || reverted !== undefined
  const insisted = force && { careful: true as const, pace: oneByOne(rest.pace) }
  return { ...rest, state: 'running', ...(written && !isAskedFor && { written }), ...insisted }
}

const cleared = (rollout: Rollout): Rollout => {
  const { reason: _reason, rollback: _rollback, evidence: _evidence, unwell: _unwell, ...rest } = rollout
  return rest
}
