import type { EntryAct } from '../../shared/domain/grant/entries.ts'
import type { ObjectAct, ObjectId } from '../../shared/domain/grant/objects.ts'
import type { ClusterAddress } from '../../shared/domain/findings/remedy.ts'

/** An action that failed, with the reason and the command that fixes it. */
export interface Trouble {
  on: 'trouble'
  /** `left`: a person must decide · `failed`: it could not be read or written. */
  act: 'left' | 'failed'
  what: string
  why: string
  next?: string
  /** The API server denies access or does not answer: this applies to every object. */
  isOfAll?: true
}

export type Act = EntryAct | ObjectAct | Trouble

/** One cluster, with its planned or completed changes. */
export interface Row {
  place: ClusterAddress
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
