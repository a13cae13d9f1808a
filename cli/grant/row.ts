import type { EntryAct } from '../../shared/domain/grant/entries.ts'
import type { ObjectAct, ObjectId } from '../../shared/domain/grant/objects.ts'
import type { Place } from '../../shared/domain/findings/remedy.ts'

/** What could not be done, in words, and what to paste. */
export interface Trouble {
  on: 'trouble'
  /** `left`: somebody must decide · `failed`: it could not be read or written. */
  act: 'left' | 'failed'
  what: string
  why: string
  next?: string
  /** The API server lets nobody of us in, or does not answer: it is so for every object. */
  isOfAll?: true
}

export type Act = EntryAct | ObjectAct | Trouble

/** One cluster, and what is to be done there or was. */
export interface Row {
  place: Place
  acts: Act[]
}

export type Outcome = 'done' | 'left' | 'failed'

export const outcomeOf = ({ acts }: Row): Outcome => {
  if (acts.some(({ act }) => act === 'failed')) return 'failed'
  return acts.some(({ act }) => act === 'left' || act === 'leave') ? 'left' : 'done'
}

export const isWrite = ({ act }: Act): boolean => act === 'create' || act === 'change' || act === 'delete'

/** `Role kube-system/NAME` */
export const objectName = ({ kind, name, namespace }: ObjectId): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`

export const entryName = (principalArn: string): string => `access entry ${principalArn}`

export const whatOf = (act: Act): string => {
  switch (act.on) {
    case 'entry':
      return entryName(act.principalArn)
    case 'object':
      return objectName(act)
    case 'trouble':
      return act.what
  }
}
