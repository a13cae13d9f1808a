import { failed, type Read, read } from '../../../shared/domain/read.ts'
import { KubeError } from '../../../shared/errors.ts'
import { call, type Party } from './call.ts'
import type { Cluster, Writer } from './cluster.ts'
import type { Stage } from './stage.ts'

const failures = {
  failed: () => new KubeError('unavailable', 'internal error', { status: 500 }),
  lost: () => new KubeError('unreachable', 'no answer within 8 s'),
}
const tooMany = (retryAfterSeconds: number) =>
  new KubeError('unavailable', 'too many requests', { status: 429, retryAfterSeconds })

/** The API server has no answer from the one that it asks. */
export const down = (): KubeError => new KubeError('unavailable', 'the server is currently unable', { status: 503 })

const readKinds = ['unreachable', 'unauthenticated', 'denied', 'unavailable', 'malformed'] as const
const isFailure = (kind: KubeError['kind']): kind is (typeof readKinds)[number] => readKinds.some((it) => it === kind)

export type Requests = ReturnType<typeof requestsOf>

/** How one party asks the Kubernetes API of a cluster: a read answers its failure, a write throws it. */
export const requestsOf = (stage: Stage, { cluster, party }: { cluster: Cluster; party: Party }) => {
  const throttled = (isWrite: boolean): KubeError => {
    const seconds = stage.random.between(1, 60)
    if (isWrite) party.refusedFor = seconds
    return tooMany(seconds)
  }
  const ask = <T>(what: string, isWrite: boolean, effect: () => T): Promise<T> =>
    call(stage, party, {
      what: `Kubernetes ${what} ${cluster.ref.name}`,
      isWrite,
      errors: { ...failures, throttled: () => throttled(isWrite) },
      effect: () => {
        const { closed } = cluster.trouble
        if (closed && isWrite) stage.struck.add(party.name)
        if (!cluster.exists || closed === 'unreachable') throw failures.lost()
        if (closed) throw new KubeError(closed, 'Unauthorized', { status: 401 })
        try {
          return effect()
        } catch (error) {
          // The server has answered since, and asks for nothing.
          delete party.refusedFor
          throw error
        }
      },
    })
  const reads = async <T>(object: string, effect: () => T): Promise<Read<T>> => {
    try {
      return read(await ask(`reads ${object}`, false, effect))
    } catch (error) {
      if (!(error instanceof KubeError) || !isFailure(error.kind)) throw error
      const { kind, status, retryAfterSeconds, message } = error
      return failed({
        kind,
        object,
        message,
        ...(status && { status }),
        ...(retryAfterSeconds && { retryAfterSeconds }),
      })
    }
  }
  const writes = <T>(what: string, effect: (writer: Writer) => T): Promise<T> => {
    const { name, kind, incarnation } = party
    const writer: Writer = { name, kind, incarnation, sentAt: stage.schedule.now() }
    return ask(what, true, () => {
      if (cluster.trouble.denied) {
        // What it has just done, it may not be able to note any more.
        stage.struck.add(name)
        throw new KubeError('denied', `may not: ${what}`, { status: 403 })
      }
      return effect(writer)
    })
  }
  return { reads, writes }
}
